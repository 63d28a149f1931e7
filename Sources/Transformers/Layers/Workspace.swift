import Attention

/// Memory of intermediate results, used again by later steps as soon as nobody holds a tensor in it.
///
/// A forward pass asks for the same few sizes in every layer; fresh memory each time would be paid for page by page. Steps run in
/// order, so that memory which a step has read may be written by the next.
final class Workspace {
    private let device: Device
    private var storages: [any TensorStorage] = []

    init(_ device: Device) { self.device = device }

    /// A tensor of undefined elements.
    func tensor(_ shape: [Int], _ type: ElementType = .float32) throws(AttentionError) -> Tensor {
        let layout = try TensorLayout(contiguous: shape)
        let bytes = try Tensor.byteCount(layout.count, type, "activations")
        return try Tensor(storage: try storage(bytes), layout: layout, elementType: type)
    }

    private func storage(_ bytes: Int) throws(AttentionError) -> any TensorStorage {
        var best: Int?
        for index in storages.indices {
            let size = storages[index].byteCount
            // A small tensor in a large piece of memory would make the next large one take new memory.
            guard size >= bytes, size / 4 <= bytes, size < best.map({ storages[$0].byteCount }) ?? .max else { continue }
            if Self.isFree(&storages[index]) { best = index }
        }
        if let best { return storages[best] }
        let made = try device.backend.makeStorage(byteCount: bytes)
        storages.append(made)
        return made
    }

    private static func isFree<Storage: AnyObject>(_ storage: inout Storage) -> Bool {
        isKnownUniquelyReferenced(&storage)
    }
}
