import Attention

/// Memory of intermediate results, used again by later steps.
///
/// A forward pass asks for the same few sizes in every layer; fresh memory each time would be paid for page by page. Memory is
/// free again as soon as no tensor has it: nobody needs to give it back, and what a caller keeps stays the caller's. Steps run in
/// order, so that memory which a step has read may be written by the next.
final class Workspace {
    private let device: Device
    private var made: [any Piece] = []

    init(_ device: Device) { self.device = device }

    /// A tensor of undefined elements.
    func tensor(_ shape: [Int], _ type: ElementType = .float32) throws(AttentionError) -> Tensor {
        let layout = try TensorLayout(contiguous: shape)
        let bytes = try Tensor.byteCount(layout.count, type, "activations")
        return try Tensor(storage: try storage(bytes), layout: layout, elementType: type)
    }

    private func storage(_ bytes: Int) throws(AttentionError) -> any TensorStorage {
        var (best, largest): (Int?, Int?)
        for index in made.indices where made[index].isFree {
            let size = made[index].byteCount
            if size < bytes {
                if size > largest.map({ made[$0].byteCount }) ?? 0 { largest = index }
            } else if size / 4 <= bytes, size < best.map({ made[$0].byteCount }) ?? .max {
                // A small tensor in a large piece of memory would make the next large one take new memory.
                best = index
            }
        }
        if let best { return made[best].storage }
        // Where sizes grow from step to step, what has become too small is of no more use.
        if let largest { made.remove(at: largest) }
        let storage = try device.backend.makeStorage(byteCount: bytes)
        made.append(Self.piece(storage, bytes))
        return storage
    }

    private static func piece(_ storage: some TensorStorage, _ bytes: Int) -> any Piece {
        StoragePiece(storage, bytes)
    }
}

/// Memory that a workspace made.
private protocol Piece: AnyObject {
    var byteCount: Int { get }
    /// Whether no tensor has it.
    var isFree: Bool { get }
    var storage: any TensorStorage { get }
}

/// Of one class of storage: of a reference to `any TensorStorage` or `AnyObject` Swift does not tell whether it is the only one.
private final class StoragePiece<Storage: TensorStorage>: Piece {
    let byteCount: Int
    private var held: Storage

    init(_ storage: Storage, _ byteCount: Int) { (held, self.byteCount) = (storage, byteCount) }

    var isFree: Bool { isKnownUniquelyReferenced(&held) }
    var storage: any TensorStorage { held }
}
