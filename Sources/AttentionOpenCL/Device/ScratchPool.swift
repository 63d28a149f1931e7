import OpenCLRuntime
import Locking

/// Scratch buffers of one device, kept between calls: the first touch of fresh memory costs more than many a call.
final class ScratchPool: Sendable {
    private let context: Context
    private let idle = Guarded<[Buffer]>([])
    private let most = 8

    init(context: Context) { self.context = context }

    /// A buffer of at least `byteCount` bytes with undefined contents.
    func take(_ byteCount: Int) throws(OpenCLError) -> Buffer {
        let found = idle.withLock { buffers -> Buffer? in
            // The smallest that fits, unless it is so large that it should serve a larger call.
            let fitting = buffers.indices.filter {
                buffers[$0].byteCount >= byteCount && buffers[$0].byteCount / 4 <= max(byteCount, 1 << 20)
            }
            guard let best = fitting.min(by: { buffers[$0].byteCount < buffers[$1].byteCount }) else { return nil }
            return buffers.remove(at: best)
        }
        if let found { return found }
        return try Buffer(context: context, byteCount: max(byteCount, 4096))
    }

    func giveBack(_ buffer: Buffer) {
        let dropped = idle.withLock { buffers -> Buffer? in
            buffers.append(buffer)
            return buffers.count > most ? buffers.removeFirst() : nil
        }
        // Released here: a driver that does not answer must not be called with the lock held.
        withExtendedLifetime(dropped) {}
    }

    /// Bytes that are not in use.
    var idleBytes: Int { idle.withLock { $0.reduce(0) { $0 + $1.byteCount } } }

    /// Releases what is not in use.
    func clear() {
        let dropped = idle.withLock { buffers -> [Buffer] in
            defer { buffers = [] }
            return buffers
        }
        withExtendedLifetime(dropped) {}
    }
}
