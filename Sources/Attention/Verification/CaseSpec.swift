import AttentionCore

/// One case of a verification, in words: everything that the numbers of the case follow from, together with a seed.
package struct CaseSpec: Hashable, Sendable {
    /// What a case was made for.
    package enum Group: String, Hashable, Sendable, CaseIterable {
        case edge, option, pair, size, logits, poison, bits, large, types
    }

    package var group = Group.pair
    /// Tells cases of a group apart that look alike, or names an edge.
    package var name = ""

    package var batch = 1
    package var queryHeads = 2
    package var keyValueHeads = 2
    /// All queries; with packed sequences those of all of them.
    package var queryLength = 5
    /// All keys, past ones and all packed sequences included.
    package var keyLength = 7
    package var headDimension = 8
    package var valueDimension = 8
    package var queryType = ElementType.float32
    package var valueType = ElementType.float32

    package var maskType: ElementType?
    package var maskForm = MaskForm.none
    package var maskPattern = MaskPattern.mixed
    package var position = Position.none
    package var windowLeft: Int?
    package var windowRight: Int?
    package var softcap: Double?
    package var scale = Scale.standard
    package var alibi = Alibi.none
    package var sinks = Sinks.none
    package var lengths = Lengths.none
    package var past = 0
    /// Past tensors are given, without a key in them.
    package var hasEmptyPast = false
    package var packing = Packing.none
    package var layout = Layout.bhld
    package var outputLayout = OutputLayout.natural
    package var scores: ScoreOutput?
    package var logSumExp = false
    package var logits = Logits.normal
    package var poison = Poison.none
    package var probe = Probe.none
    /// Tensors live in memory that the backend made.
    package var onDevice = false

    package init() {}

    /// Multiplications and additions that a direct evaluation takes.
    package var cost: Int {
        batch * queryHeads * max(queryLength, 1) * max(keyLength, 1) * (headDimension + valueDimension)
    }
}

extension CaseSpec {
    /// The shape of the mask tensor; `b`, `h`, `q`, `k` are whole dimensions, 1 a broadcast one.
    package enum MaskForm: String, Hashable, Sendable, CaseIterable {
        case none, bhqk, b1qk, b11k
        case oneHqk = "1hqk"
        case hqk
        case oneQk = "1qk"
        case qk
        case oneK = "1k"
        case k, scalar
        /// A last dimension that ends before the keys do.
        case short
        /// A last dimension of one key.
        case short1
        /// `[q, k]` with the queries unit-stride.
        case transposed
    }

    /// What stands in a mask.
    package enum MaskPattern: String, Hashable, Sendable, CaseIterable {
        /// A third of the pairs, some whole rows and some whole keys are excluded.
        case mixed
        /// Nothing is excluded.
        case open
        /// Every pair is excluded.
        case closed
        /// Row 0 is excluded, the others are not.
        case firstRowClosed
        /// Large finite negative numbers instead of exclusion.
        case minus1e4, minus65504, minus8e37
    }

    /// Causal or not, and where query 0 stands.
    package enum Position: String, Hashable, Sendable, CaseIterable {
        case none, causal
        case bottomRight = "br"
        case causalBottomRight = "causal-br"
        package var isCausal: Bool { self == .causal || self == .causalBottomRight }
        package var isBottomRight: Bool { self == .bottomRight || self == .causalBottomRight }
    }

    package enum Scale: String, Hashable, Sendable, CaseIterable {
        case standard, zero, negative, large, tiny
    }

    package enum Alibi: String, Hashable, Sendable, CaseIterable {
        case none, standard, signed
    }

    package enum Sinks: String, Hashable, Sendable, CaseIterable {
        case none, finite, dominating
        case absent = "minusInfinity"
    }

    package enum Lengths: String, Hashable, Sendable, CaseIterable {
        case none, full, zero, mixed
    }

    package enum Packing: String, Hashable, Sendable, CaseIterable {
        case none, sequences
        /// Some sequences have no queries, or no keys, or neither.
        case withEmpty
    }

    /// How query, key and value lie in memory.
    package enum Layout: String, Hashable, Sendable, CaseIterable {
        case bhld, blhd, rank3
        /// Parts of one `[batch, token, all columns]` tensor.
        case slice
        /// Rows run backwards.
        case negative
        /// One batch entry of keys and values serves all.
        case broadcast
        /// An odd offset and gaps between rows.
        case gapped
        /// Columns are not unit-stride.
        case transposed
        /// Three different ones.
        case mixed
    }

    package enum OutputLayout: String, Hashable, Sendable, CaseIterable {
        case natural
        /// The caller's tensor, with gaps between rows and an odd offset.
        case gapped
    }

    /// What query, key and value hold.
    package enum Logits: String, Hashable, Sendable, CaseIterable {
        case normal
        case deviation16, deviation1e3, deviation1e4, deviation1e5
        /// 7·10³ is added to every score.
        case offset
        /// One key leads by more than 110.
        case leadFirst, leadMiddle, leadLast
        case ties, equal, denormal
        /// Scores beyond 2¹²⁶ in one row.
        case overflow
    }

    /// What stands where nothing may look, or where everything must show.
    package enum Poison: String, Hashable, Sendable, CaseIterable {
        case none
        /// In every key and value that no row attends, and in the mask where something else excludes.
        case nan, plusInfinity, minusInfinity, huge
        /// In one place that is attended.
        case keyNaN, queryNaN, valueNaN, maskNaN, valuePlusInfinity, valueMinusInfinity, maskPlusInfinity
        package var isHidden: Bool { [.nan, .plusInfinity, .minusInfinity, .huge].contains(self) }
    }

    /// A second run whose bits must agree with the first.
    package enum Probe: String, Hashable, Sendable, CaseIterable {
        case none
        /// The same call again.
        case again = "repeat"
        /// One batch entry, one group of heads, some rows alone.
        case batch, heads, rows
        /// Each packed sequence alone.
        case separate
        /// Keys and values in the blocks of a pool, in no order.
        case paged
    }
}
