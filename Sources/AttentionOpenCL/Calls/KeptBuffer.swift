import AttentionCore
import KernelCalls
import Locking
import OpenCLRuntime

/// A small table that kernels read, kept on the device with what it was made from: most calls have that of the call before.
final class KeptBuffer<Source: Equatable & Sendable>: Sendable {
    private struct Kept {
        let source: Source
        let buffer: Buffer
    }

    private let kept = Guarded<Kept?>(nil)

    /// The table of this call, or `nil` for an empty one. A buffer that another call still reads stays as it is.
    func buffer<Element: BitwiseCopyable>(
        _ source: Source, _ call: CallRun, _ elements: (Source) -> [Element]
    ) throws(OpenCLError) -> Buffer? {
        if let buffer = kept.withLock({ $0?.source == source ? $0?.buffer : nil }) { return buffer }
        guard let buffer = try call.constants(elements(source)) else { return nil }
        kept.withLock { $0 = Kept(source: source, buffer: buffer) }
        return buffer
    }
}

/// The tables of a fused plan's calls.
struct CallTables: Sendable {
    private let keptSegments = KeptBuffer<[Segment]>()
    private let keptBlocks = KeptBuffer<BlockTable>()

    func segments(_ call: CallRun) throws(OpenCLError) -> Buffer? {
        try keptSegments.buffer(call.problem.segments, call) { $0.map { KernelSegment($0) } }
    }

    func blocks(_ call: CallRun) throws(OpenCLError) -> Buffer? {
        guard let table = call.blockTable else { return nil }
        return try keptBlocks.buffer(table, call) { $0.kernelTable }
    }
}
