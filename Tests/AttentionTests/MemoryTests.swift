#if canImport(Glibc)
    import Foundation
    import Glibc
    import Testing

    @testable import Attention

    /// What calls leave behind. Other tests of the process would count too, so that these run alone: see the Makefile.
    @Suite(
        .serialized,
        .enabled(
            if: ProcessInfo.processInfo.environment["ATTEND_MEASURE_MEMORY"] != nil, "needs a process of its own"))
    struct MemoryTests {
        /// Gives free memory back to the system. Swift's import of the C library leaves `malloc_trim` out.
        private static func trim() {
            typealias Trim = @convention(c) (Int) -> Int32
            if let symbol = dlsym(nil, "malloc_trim") { _ = unsafeBitCast(symbol, to: Trim.self)(0) }
        }

        /// Resident memory in bytes, what the allocator could give back not counted.
        private static var resident: Int {
            trim()
            let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
            let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        }

        @Test(.timeLimit(.minutes(10)), arguments: DeviceHereTests.wide)
        func twentyThousandCallsLeaveNothing(_ selector: String) throws {
            var device = try Device.select(DevicePreference(selector))
            device.logger.logLevel = .critical
            let inputs = try smallInputs()
            func call(_ count: Int) throws {
                for _ in 0..<count { _ = try device.attend(inputs, fallback: .never) }
            }
            try call(2_000)
            let before = Self.resident
            try call(20_000)
            let growth = Self.resident - before
            print("\(selector) \(device.description.name): \(growth) bytes after 20,000 calls")
            #expect(growth <= 1 << 20)
        }
    }
#endif
