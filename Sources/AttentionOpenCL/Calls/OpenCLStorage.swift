import AttentionCore
import OpenCLRuntime

/// Memory on an OpenCL device, for tensors that stay there between calls.
final class OpenCLStorage: TensorStorage {
    let byteCount: Int
    let place: String
    let buffer: Buffer
    private let queues: QueuePool

    var hostBytes: UnsafeMutableRawBufferPointer? { nil }

    init(byteCount: Int, context: Context, queues: QueuePool, place: String) throws(AttentionError) {
        self.byteCount = byteCount
        self.place = place
        self.queues = queues
        buffer = try asAttentionError(place) { () throws(OpenCLError) in
            try Buffer(context: context, byteCount: max(byteCount, 1))
        }
    }

    func download(from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(AttentionError) {
        guard !bytes.isEmpty else { return }
        try onQueue { (queue) throws(OpenCLError) in try buffer.read(into: bytes, at: offset, on: queue) }
    }

    func upload(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AttentionError) {
        guard !bytes.isEmpty else { return }
        try onQueue { (queue) throws(OpenCLError) in
            try buffer.write(bytes, at: offset, on: queue)
            // A blocking write has read the host's bytes and may still be on its way to the device; the next call has another
            // queue.
            try queue.finish()
        }
    }

    private func onQueue(_ body: (Queue) throws(OpenCLError) -> Void) throws(AttentionError) {
        try asAttentionError(place) { () throws(OpenCLError) in
            if let open = OpenSequence.commands(queues) {
                // Behind all commands so far, which it waits for.
                do throws(OpenCLError) { try body(open.queue) } catch {
                    open.abandon()
                    throw error
                }
                return try open.wait()
            }
            let queue = try queues.take()
            // After an error it is released instead: what it still holds is nobody's to wait for.
            try body(queue)
            queues.giveBack(queue)
        }
    }
}

/// Runs `body` and says what failed in the words of the attention call.
func asAttentionError<Result>(
    _ device: String, _ body: () throws(OpenCLError) -> Result
) throws(AttentionError) -> Result {
    do {
        return try body()
    } catch .allocationTooLarge(let bytes, _, _) {
        // A call that is too large, and no sign of a device that is broken.
        throw .outOfMemory(bytes: bytes, device: device)
    } catch {
        throw .deviceFailed(device: device, detail: error.description)
    }
}
