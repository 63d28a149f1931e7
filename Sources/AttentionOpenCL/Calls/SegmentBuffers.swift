import AttentionCore
import Locking
import OpenCLRuntime

/// The segment table of a plan's last call, kept on the device: most calls have the segments of the one before.
final class SegmentBuffers: Sendable {
    private struct Kept {
        let segments: [Segment]
        let buffer: Buffer
    }

    private let kept = Guarded<Kept?>(nil)

    /// The table of this call. A buffer that another call still reads stays as it is.
    func buffer(_ call: CallRun) throws(OpenCLError) -> Buffer? {
        let segments = call.problem.segments
        if let buffer = kept.withLock({ $0?.segments == segments ? $0?.buffer : nil }) { return buffer }
        guard let buffer = try call.constants(segments.map { KernelSegment($0) }) else { return nil }
        kept.withLock { $0 = Kept(segments: segments, buffer: buffer) }
        return buffer
    }
}
