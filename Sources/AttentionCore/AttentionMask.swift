/// Which keys a query may attend, and what is added to its scores. Parts compose by intersection.
///
/// ```swift
/// .none                                     // every key
/// .causal                                   // keys up to the query's own position
/// [.causal, .window(left: 127)]             // the last 128 keys
/// [.causal, .tensor(padding)]               // both
/// ```
public struct AttentionMask: Sendable, ExpressibleByArrayLiteral {
    /// Where the last query stands among the keys when there are more keys than queries.
    public enum Alignment: String, Hashable, Sendable {
        /// Query 0 stands at the offset that the cache gives: key 0 without one.
        case topLeft = "top-left"
        /// The last query stands at the last key.
        case bottomRight = "bottom-right"
    }

    /// Key `j` is excluded for a query at position `p` if `j > p`.
    public var isCausal = false
    /// Moves the positions of causal masks, windows and ALiBi alike.
    public var alignment = Alignment.topLeft
    /// Keys before `p − windowLeft` are excluded; `nil` is unbounded. Inclusive: a width of `W` keeps `W + 1` keys.
    public var windowLeft: Int?
    /// Keys after `p + windowRight` are excluded; `nil` is unbounded.
    public var windowRight: Int?
    /// Booleans (true attends) or numbers that are added to the scores (−∞ excludes).
    ///
    /// Broadcast from the right to `[batch, queryHeads, queryLength, keyLength]`, but a last dimension shorter than the keys is
    /// filled up with "not attended".
    public var tensor: Tensor?

    public init() {}

    /// All of `parts` at once. A later part replaces what an earlier one said about the same thing.
    public init(arrayLiteral parts: AttentionMask...) {
        for part in parts {
            isCausal = isCausal || part.isCausal
            if part.alignment != .topLeft { alignment = part.alignment }
            windowLeft = part.windowLeft ?? windowLeft
            windowRight = part.windowRight ?? windowRight
            tensor = part.tensor ?? tensor
        }
    }

    public static var none: AttentionMask { AttentionMask() }
    public static var causal: AttentionMask { causal(alignment: .topLeft) }

    public static func causal(alignment: Alignment) -> AttentionMask {
        var mask = AttentionMask()
        mask.isCausal = true
        mask.alignment = alignment
        return mask
    }

    public static func window(left: Int? = nil, right: Int? = nil, alignment: Alignment = .topLeft) -> AttentionMask {
        var mask = AttentionMask()
        mask.windowLeft = left
        mask.windowRight = right
        mask.alignment = alignment
        return mask
    }

    public static func tensor(_ tensor: Tensor) -> AttentionMask {
        var mask = AttentionMask()
        mask.tensor = tensor
        return mask
    }
}
