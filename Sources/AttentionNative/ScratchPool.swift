import AttentionCore
import Locking

/// Memory of whole calls that is kept for the next one: scores of the staged kernels, parts of split keys.
final class ScratchPool: Sendable {
    /// A piece that a call has to itself; none if the call needs none.
    struct Piece: Sendable {
        let storage: HostStorage?

        var floats: UnsafeMutablePointer<Float>? {
            storage?.hostBytes?.baseAddress?.assumingMemoryBound(to: Float.self)
        }
    }

    /// As many as calls run at once, as a rule.
    private static let mostPieces = 8
    private let idle = Guarded<[HostStorage]>([])

    func take(_ byteCount: Int) throws(AttentionError) -> Piece {
        guard byteCount > 0 else { return Piece(storage: nil) }
        let known = idle.withLock { pieces -> HostStorage? in
            // Not one far too large: a small call would keep it from the next large one.
            guard let index = pieces.lastIndex(where: { $0.byteCount >= byteCount && $0.byteCount / 4 <= byteCount })
            else { return nil }
            return pieces.remove(at: index)
        }
        if let known { return Piece(storage: known) }
        return Piece(storage: try HostStorage(byteCount: byteCount))
    }

    func give(_ piece: Piece) {
        guard let storage = piece.storage else { return }
        idle.withLock { pieces in
            if pieces.count == Self.mostPieces { pieces.removeFirst() }
            pieces.append(storage)
        }
    }

    var idleBytes: Int { idle.withLock { $0.reduce(0) { $0 + $1.byteCount } } }

    func clear() { idle.withLock { $0 = [] } }
}
