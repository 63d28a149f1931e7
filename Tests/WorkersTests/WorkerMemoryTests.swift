#if os(Linux)
    import Foundation
    import Testing

    @testable import Workers

    /// What jobs leave behind. Other tests of the process would count too, so that these run alone: see the Makefile.
    @Suite(
        .enabled(
            if: ProcessInfo.processInfo.environment["ATTEND_MEASURE_MEMORY"] != nil, "needs a process of its own"))
    struct WorkerMemoryTests {
        /// 20,000 jobs leave the process as large as it was. The allocator may grow once: one attempt of ten is proof.
        @Test func memoryIsSteady() throws {
            let pool = WorkerPool(threads: 3)
            let tally = Tally(items: 8)
            func jobs(_ count: Int) throws {
                for round in 0..<count {
                    try pool.run(
                        counting, tally.context, count: 1 + round % 8, grain: 1, threads: 3,
                        scratchBytes: round % 5 * 3000)
                }
            }
            try jobs(1000)
            var least = Int.max
            for _ in 0..<10 {
                let before = try #require(Self.residentBytes())
                try jobs(20_000)
                least = min(least, try #require(Self.residentBytes()) - before)
                if least < 1 << 20 { break }
            }
            #expect(least < 1 << 20)
        }

        private static func residentBytes() -> Int? {
            let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
            return text?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * Int(getpagesize()) }
        }
    }
#endif
