import Attention

/// Memory of intermediate results, used again by later steps once it is given back.
///
/// A forward pass asks for the same few sizes in every layer; fresh memory each time would be paid for page by page. Steps run
/// in order, so that memory which a step has read may be written by the next.
final class Workspace {
    private let device: Device
    /// All that was made, which keeps identifiers from being used again.
    private var made: [ObjectIdentifier: any TensorStorage] = [:]
    private var free: [any TensorStorage] = []

    init(_ device: Device) { self.device = device }

    /// A tensor of undefined elements.
    func tensor(_ shape: [Int], _ type: ElementType = .float32) throws(AttentionError) -> Tensor {
        let layout = try TensorLayout(contiguous: shape)
        let bytes = try Tensor.byteCount(layout.count, type, "activations")
        return try Tensor(storage: try storage(bytes), layout: layout, elementType: type)
    }

    /// Gives the memory of a tensor back. Memory that was not made here, or is back already, stays as it is.
    func recycle(_ tensor: Tensor) {
        let identifier = ObjectIdentifier(tensor.storage)
        guard made[identifier] != nil, !free.contains(where: { $0 === tensor.storage }) else { return }
        free.append(tensor.storage)
    }

    private func storage(_ bytes: Int) throws(AttentionError) -> any TensorStorage {
        var best: Int?
        for (index, storage) in free.enumerated() {
            let size = storage.byteCount
            // A small tensor in a large piece of memory would make the next large one take new memory.
            guard size >= bytes, size / 4 <= bytes, size < best.map({ free[$0].byteCount }) ?? .max else { continue }
            best = index
        }
        if let best { return free.remove(at: best) }
        let storage = try device.backend.makeStorage(byteCount: bytes)
        made[ObjectIdentifier(storage)] = storage
        return storage
    }
}
