import AttentionCore
import KernelCalls
import Locking
import OpenCLRuntime

/// A weight matrix in the memory of a device, as its family of kernels reads it.
final class OpenCLWeight: PreparedWeight {
    enum Form: Hashable, Sendable {
        /// For `linear_wide` with so many lanes.
        case panels(lanes: Int)
        /// As it was given.
        case rows
    }

    let source: Tensor
    let form: Form
    let buffer: Buffer
    /// The same for the other family, where that had to take over.
    private let others = Guarded<[Form: OpenCLWeight]>([:])

    /// - Throws: As `LinearOperation.checkWeight`; `AttentionError.outOfMemory`, `deviceFailed`.
    init(_ source: Tensor, _ form: Form, _ backend: OpenCLBackend) throws(AttentionError) {
        try LinearOperation.checkWeight(source)
        self.source = source
        self.form = form
        buffer =
            switch form {
            case .rows: try Self.buffer(source, backend)
            case .panels(let lanes): try Self.buffer(try Self.packed(source, lanes, backend), backend)
            }
    }

    /// This weight in another form, which is kept with it.
    func inForm(_ form: Form, _ backend: OpenCLBackend) throws(AttentionError) -> OpenCLWeight {
        if form == self.form { return self }
        return try others.withLock { (others) throws(AttentionError) in
            if let other = others[form] { return other }
            let other = try OpenCLWeight(source, form, backend)
            others[form] = other
            return other
        }
    }

    /// `source` in panels, as a tensor of one dimension.
    private static func packed(
        _ source: Tensor, _ lanes: Int, _ backend: OpenCLBackend
    ) throws(AttentionError) -> Tensor {
        guard let tiles = LinearTiles.table.first(where: { $0.lanes == lanes }) else {
            throw .unsupported(device: backend.device.name, reason: "linear_wide has no tiles for \(lanes) lanes")
        }
        let (outputs, inputs, size) = (source.shape[0], source.shape[1], source.elementType.byteCount)
        let count = tiles.packedCount(outputs: outputs, inputs: inputs)
        guard count * size <= backend.profile.allocationBytes else {
            throw .outOfMemory(bytes: count * size, device: backend.device.name)
        }
        let target = try Tensor(uninitialized: [count], source.elementType)
        guard count > 0, let from = source.storage.hostBytes?.baseAddress,
            let to = target.storage.hostBytes?.baseAddress
        else { return target }
        tiles.pack(
            0..<tiles.panels(outputs), of: UnsafeRawPointer(from) + source.layout.offset * size, to: to,
            outputs: outputs, inputs: inputs, elementBytes: size)
        withExtendedLifetime(source) {}
        return target
    }

    /// The elements of `tensor`, which lie in host memory without gaps: used in place where the device shares that, else copied.
    private static func buffer(_ tensor: Tensor, _ backend: OpenCLBackend) throws(AttentionError) -> Buffer {
        let size = tensor.elementType.byteCount
        let (first, count) = (tensor.layout.offset * size, tensor.count * size)
        return try asAttentionError(backend.device.name) { () throws(OpenCLError) in
            guard count > 0, let bytes = tensor.storage.hostBytes else {
                return try Buffer(context: backend.context, byteCount: 1)
            }
            let own = UnsafeMutableRawBufferPointer(rebasing: bytes[first..<first + count])
            if let base = own.baseAddress, backend.canShare(own) {
                return try Buffer(
                    context: backend.context, sharing: base, byteCount: count, owner: tensor.storage, access: .readOnly)
            }
            return try Buffer(context: backend.context, copying: UnsafeRawBufferPointer(own), access: .readOnly)
        }
    }
}
