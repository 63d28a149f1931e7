import AttentionCore
import OpenCLRuntime

/// The buffers behind the tensors of one call.
///
/// Host memory is used in place where the device shares it, and copied otherwise; a device's own memory is used as it is. Tensors
/// that share a storage share a buffer, since two buffers over the same bytes are undefined in OpenCL.
final class OperandBuffers {
    private enum Origin {
        /// Host memory in place: made visible to the host by mapping once the work is done.
        case inPlace
        /// A copy of the bytes from the given one on.
        case copy(firstByte: Int)
    }

    private struct Entry {
        let storage: any TensorStorage
        let buffer: Buffer
        let origin: Origin
    }

    private let backend: OpenCLBackend
    private let commands: Commands
    private var inputs: [ObjectIdentifier: Entry] = [:]
    private var written: [(tensor: Tensor, entry: Entry)] = []
    /// Whether kernels read the caller's memory itself, which may change once the call returns.
    private var sharesInputs = false

    /// Operands of so many bytes are copied rather than shared where that saves a sequence of calls from waiting.
    private static let mostCopiedBytes = 256 << 10

    init(backend: OpenCLBackend, commands: Commands) {
        self.backend = backend
        self.commands = commands
    }

    /// A buffer to read `tensors` from, which all have one storage, and how many elements of `type` its beginning is ahead.
    func input(_ tensor: Tensor) throws(OpenCLError) -> (buffer: Buffer, shift: Int) {
        // The usual case of a repeated call: nothing to make and nothing to remember.
        if let own = ownBuffer(tensor) { return (own, 0) }
        let size = tensor.elementType.byteCount
        if let known = inputs[ObjectIdentifier(tensor.storage)], case .copy(let first) = known.origin {
            if first == tensor.layout.extent.lowerBound * size,
                known.buffer.byteCount >= tensor.layout.extent.count * size
            {
                return (known.buffer, tensor.layout.extent.lowerBound)
            }
        } else if let known = inputs[ObjectIdentifier(tensor.storage)] {
            return (known.buffer, 0)
        }
        let entry = try self.entry(tensor, isWritten: false)
        inputs[ObjectIdentifier(tensor.storage)] = entry
        if case .copy(let first) = entry.origin { return (entry.buffer, first / size) }
        return (entry.buffer, 0)
    }

    /// A buffer to write `tensor` to.
    func output(_ tensor: Tensor) throws(OpenCLError) -> (buffer: Buffer, shift: Int) {
        if let own = ownBuffer(tensor) { return (own, 0) }
        // An operand in the same storage but apart from this one: one buffer serves both.
        if let known = inputs[ObjectIdentifier(tensor.storage)] {
            switch known.origin {
            case .inPlace:
                written.append((tensor, known))
                return (known.buffer, 0)
            case .copy: break
            }
        }
        let entry = try self.entry(tensor, isWritten: true)
        written.append((tensor, entry))
        switch entry.origin {
        case .inPlace:
            inputs[ObjectIdentifier(tensor.storage)] = entry
            return (entry.buffer, 0)
        case .copy(let first): return (entry.buffer, first / tensor.elementType.byteCount)
        }
    }

    /// The buffer of a tensor that is in this context's memory already.
    private func ownBuffer(_ tensor: Tensor) -> Buffer? {
        guard let own = tensor.storage as? OpenCLStorage, own.buffer.context === backend.context else { return nil }
        return own.buffer
    }

    private func entry(_ tensor: Tensor, isWritten: Bool) throws(OpenCLError) -> Entry {
        let storage = tensor.storage
        let isCopied =
            !isWritten && commands.isSequence
            && tensor.layout.extent.count * tensor.elementType.byteCount <= Self.mostCopiedBytes
        if let bytes = storage.hostBytes, !isCopied, backend.canShare(bytes) {
            let buffer = try share(bytes, storage)
            sharesInputs = sharesInputs || !isWritten
            return Entry(storage: storage, buffer: buffer, origin: .inPlace)
        }
        let size = tensor.elementType.byteCount
        let extent = tensor.layout.extent
        let buffer =
            isWritten || extent.isEmpty
            ? try Buffer(context: backend.context, byteCount: max(extent.count * size, 1)) : try copy(tensor)
        commands.hold(buffer)
        return Entry(storage: storage, buffer: buffer, origin: .copy(firstByte: extent.lowerBound * size))
    }

    /// A small array for kernels to read, or `nil` for an empty one.
    func constants<Element: BitwiseCopyable>(_ values: [Element]) throws(OpenCLError) -> Buffer? {
        guard !values.isEmpty else { return nil }
        let bytes = values.withUnsafeBytes { Array($0) }
        var result: Result<Buffer, OpenCLError>?
        bytes.withUnsafeBytes { raw in
            do throws(OpenCLError) {
                result = .success(try Buffer(context: backend.context, copying: raw))
            } catch { result = .failure(error) }
        }
        guard let buffer = try result?.get() else { return nil }
        commands.hold(buffer)
        return buffer
    }

    /// A buffer over host memory itself, which the driver keeps for as long as it needs it.
    private func share(
        _ bytes: UnsafeMutableRawBufferPointer, _ storage: any TensorStorage
    ) throws(OpenCLError) -> Buffer {
        guard let base = bytes.baseAddress else {
            throw .invalidArgument(operation: "operands", reason: "no memory to share")
        }
        return try Buffer(context: backend.context, sharing: base, byteCount: bytes.count, owner: storage)
    }

    /// A buffer with the bytes from the first element of `tensor` to its last. Memory of another device comes by way of the host.
    private func copy(_ tensor: Tensor) throws(OpenCLError) -> Buffer {
        let size = tensor.elementType.byteCount
        let range = tensor.layout.extent
        if let bytes = tensor.storage.hostBytes {
            let part = UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * size..<range.upperBound * size])
            return try Buffer(context: backend.context, copying: part)
        }
        let staging = try staging(range.count * size)
        defer { withExtendedLifetime(staging.owner) {} }
        do { try tensor.storage.download(from: range.lowerBound * size, into: staging.bytes) } catch {
            throw OpenCLError.invalidArgument(
                operation: "operands", reason: "another device's memory cannot be read: \(error)")
        }
        return try Buffer(context: backend.context, copying: UnsafeRawBufferPointer(staging.bytes))
    }

    private func staging(_ byteCount: Int) throws(OpenCLError) -> (
        bytes: UnsafeMutableRawBufferPointer, owner: HostStorage
    ) {
        do {
            let host = try HostStorage(byteCount: byteCount)
            guard let bytes = host.hostBytes else { throw AttentionError.outOfMemory(bytes: byteCount, device: "host") }
            return (bytes, host)
        } catch {
            throw OpenCLError.invalidArgument(operation: "operands", reason: "\(error)")
        }
    }

    /// Brings what was written to where the caller has it. Call it once, after the last launch.
    func finish() throws(OpenCLError) {
        for (tensor, entry) in written where tensor.count > 0 {
            switch entry.origin {
            case .inPlace: try entry.buffer.map(.read, on: commands.queue).unmap()
            case .copy: try bringBack(tensor, entry.buffer)
            }
        }
        try commands.endCall(mustWait: sharesInputs || !written.isEmpty)
    }

    private func bringBack(_ tensor: Tensor, _ buffer: Buffer) throws(OpenCLError) {
        let size = tensor.elementType.byteCount
        let range = tensor.layout.extent
        let staging = try staging(range.count * size)
        try buffer.read(into: staging.bytes, on: commands.queue)
        let source = UnsafeRawBufferPointer(staging.bytes)
        defer { withExtendedLifetime(staging.owner) {} }
        do throws(AttentionError) {
            try Self.store(source, range, tensor)
        } catch {
            throw .invalidArgument(operation: "operands", reason: "the output cannot be written: \(error)")
        }
    }

    /// Writes the elements of `tensor` from `source`, which holds its extent. Bytes between them are somebody else's.
    private static func store(
        _ source: UnsafeRawBufferPointer, _ range: Range<Int>, _ tensor: Tensor
    ) throws(AttentionError) {
        let size = tensor.elementType.byteCount
        if range.count == tensor.count {
            return try tensor.storage.upload(source, at: range.lowerBound * size)
        }
        var indices: [Int] = []
        indices.reserveCapacity(tensor.count)
        tensor.layout.forEachIndex { indices.append($0) }
        for index in indices {
            let at = (index - range.lowerBound) * size
            try tensor.storage.upload(UnsafeRawBufferPointer(rebasing: source[at..<at + size]), at: index * size)
        }
    }
}
