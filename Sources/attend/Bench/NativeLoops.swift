import Attention
import BenchmarkLoops

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Measures what a machine does at best. Each call is one measurement; the best of several kinds of loop counts.
protocol PeakLoops {
    /// Where the loops run, for people.
    var place: String { get }
    /// One name for each kind of loop.
    var multiplyAddKinds: [String] { get }
    var readKinds: [String] { get }
    /// Billions of floating-point operations a second.
    func multiplyAdd(kind: Int) throws -> Double
    /// Billions of bytes a second.
    func read(kind: Int) throws -> Double
}

/// The loops of `BenchmarkLoops`, on as many threads as there are processors.
final class NativeLoops: PeakLoops {
    let place = "native"
    let multiplyAddKinds: [String]
    let readKinds: [String]
    private let threads: Int32
    private let memory: UnsafeMutableRawPointer
    private let byteCount: Int
    private let steps: Int

    /// The widest of the instruction sets that may be used, among those that the loops have.
    private let first: Int32

    /// - Parameters:
    ///   - threads: how many; `nil` is one a processor.
    ///   - widest: the widest instruction set to use; `nil` is any.
    init(threads: Int?, widest: InstructionSet? = nil) throws {
        let processors = NativeBackend.availableThreads
        self.threads = Int32(clamping: min(threads ?? processors, processors))
        let sets = (0..<benchmark_loops_instruction_sets()).map { String(cString: benchmark_loops_instruction_set($0)) }
        let first = widest.flatMap { sets.firstIndex(of: $0.rawValue) } ?? 0
        self.first = Int32(first)
        multiplyAddKinds = Array(sets[first...])
        readKinds = (0..<benchmark_loops_read_variants()).map { String(cString: benchmark_loops_read_variant($0)) }
        // Larger than the caches four times over, touched page by page so that it is really there.
        byteCount = min(max(4 * Caches.lastLevelBytes, 64 << 20), 1 << 30) & ~0xFFFF
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, 4096, byteCount) == 0, let pointer else {
            throw CommandFailure(.unavailable, "bench: expected \(byteCount) bytes of memory to read, found less")
        }
        memory = pointer
        memset(memory, 1, byteCount)
        // About 10 ms: long enough to reach full speed, short enough to take turns.
        var flops = 0.0
        let seconds = benchmark_loops_multiply_add(self.first, self.threads, 100_000, &flops)
        steps = max(100_000, Int(100_000 * 0.01 / max(seconds, 1e-6)))
    }

    deinit { free(memory) }

    func multiplyAdd(kind: Int) throws -> Double {
        var flops = 0.0
        let seconds = benchmark_loops_multiply_add(first + Int32(kind), threads, steps, &flops)
        return flops / (try positive(seconds)) * 1e-9
    }

    func read(kind: Int) throws -> Double {
        let seconds = benchmark_loops_read(first, Int32(kind), threads, memory, byteCount)
        return Double(byteCount) / (try positive(seconds)) * 1e-9
    }

    private func positive(_ seconds: Double) throws -> Double {
        guard seconds > 0 else { throw CommandFailure(.unavailable, "bench: expected \(threads) threads, found fewer") }
        return seconds
    }
}
