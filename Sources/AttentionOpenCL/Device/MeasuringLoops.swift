import AttentionCore
import OpenCLRuntime

/// What an OpenCL device does at best: multiply-adds, and reads of memory larger than its caches.
public final class MeasuringLoops: Sendable {
    /// How many independent sums each kind of multiply-add loop keeps.
    public static let sumCounts = [10, 12, 16]

    private let backend: OpenCLBackend
    private let multiplyAdds: [Program]
    private let reads: Program
    private let memory: Buffer
    private let results: Buffer
    private let byteCount: Int
    private let lanes: Int
    private let items: Int

    /// Builds the loops and takes `byteCount` bytes of the device's memory.
    public init(_ backend: OpenCLBackend, byteCount: Int) throws(AttentionError) {
        self.backend = backend
        let info = backend.context.device.info
        lanes = info.nativeFloatWidth >= 16 ? 16 : info.nativeFloatWidth >= 8 ? 8 : info.nativeFloatWidth >= 4 ? 4 : 1
        // Work-items enough to keep every compute unit busy to the end; narrow devices want many in a group.
        items = max(info.computeUnits, 1) * (lanes > 1 ? 8 : 2048)
        let lanes = lanes
        var programs: [Program] = []
        for sums in Self.sumCounts {
            let kernel = MeasuringKernel(
                name: .peak, lanes: lanes, sums: sums, fuses: info.hasFusedMultiplyAdd)
            programs.append(try backend.program(.loop(kernel)).0)
        }
        multiplyAdds = programs
        reads = try backend.program(.loop(MeasuringKernel(name: .stream, lanes: lanes, sums: 0, fuses: false))).0
        let unit = items * lanes * 4 * MemoryLayout<Float>.stride
        let wanted = min(byteCount, info.maxAllocationBytes) / unit * unit
        self.byteCount = wanted
        let (items, context) = (items, backend.context)
        (memory, results) = try asAttentionError(backend.device.name) { () throws(OpenCLError) in
            (
                try Buffer(context: context, byteCount: max(wanted, unit)),
                try Buffer(context: context, byteCount: items * MemoryLayout<Float>.stride)
            )
        }
        try backend.withCommands(isProfiled: false) { (commands) throws(AttentionError) in
            try asAttentionError(backend.device.name) { () throws(OpenCLError) in
                let queue = commands.queue
                // Touched, so that it is really there.
                try memory.fill(with: UInt8(0), on: queue)
                try queue.finish()
            }
        }
    }

    /// Billions of floating-point operations a second of one loop of `steps` steps; two for a multiply-add.
    public func multiplyAdd(kind: Int, steps: Int) throws(AttentionError) -> Double {
        guard Self.sumCounts.indices.contains(kind) else {
            throw .invalid("kind", .value, expected: "one of \(Self.sumCounts.indices)", found: "\(kind)")
        }
        let seconds = try seconds(multiplyAdds[kind], "peak") { launch in
            launch.buffer(results).float(0.5).float(0.25).int32(Int32(clamping: steps))
        }
        return Double(items) * Double(steps) * Double(Self.sumCounts[kind] * lanes * 2) / seconds * 1e-9
    }

    /// Billions of bytes a second of one pass over the memory.
    public func read() throws(AttentionError) -> Double {
        let vectors = byteCount / (lanes * MemoryLayout<Float>.stride)
        let seconds = try seconds(reads, "stream") { launch in
            launch.buffer(memory).buffer(results).int64(Int64(vectors))
        }
        return Double(byteCount) / seconds * 1e-9
    }

    private func seconds(
        _ program: Program, _ name: String, _ arguments: (consuming Launch) -> Launch
    ) throws(AttentionError) -> Double {
        var duration = Duration.zero
        try backend.withCommands(isProfiled: false) { (commands) throws(AttentionError) in
            try asAttentionError(backend.device.name) { () throws(OpenCLError) in
                let queue = commands.queue
                let start = ContinuousClock.now
                try arguments(try program.launch(name))
                    .enqueue(on: queue, global: WorkSize(items), local: lanes > 1 ? WorkSize(1) : nil)
                try queue.finish()
                duration = ContinuousClock.now - start
            }
        }
        return max(duration / .seconds(1), 1e-9)
    }
}
