/// What BERT's normalisation asks about a scalar. Built once from the data beside this file, in about a millisecond.
struct ScalarTables: Sendable {
    static let shared = ScalarTables()

    private var classes = ScalarMap<UInt16>()
    private var lowered = ScalarMap<Int32>()
    /// What decomposition and the removal of marks leave: 0 for no change, a scalar, or an index with `severalBit`.
    private var bases = ScalarMap<UInt32>()
    private var several: [[UInt32]] = []
    private static let severalBit: UInt32 = 1 << 31

    private init() {
        mark(ScalarClassData.dropped, as: .dropped)
        mark(ScalarClassData.cleanedToSpace, as: .cleanedToSpace)
        mark(ScalarClassData.separators, as: .separator)
        mark(ScalarClassData.ideographs, as: .ideograph)
        mark(ScalarClassData.punctuation, as: .punctuation)
        mark(ScalarClassData.marks, as: .mark)
        mark(ScalarClassData.startingMarks, as: [.mark, .startingMark])
        let combining = ScalarClassData.combiningClasses
        for place in stride(from: 0, to: combining.count, by: 3) {
            let shifted = UInt16(combining[place + 2]) << ScalarClass.combiningShift
            for scalar in combining[place]...combining[place + 1] { classes[scalar] |= shifted }
        }
        let lower = LowerCaseData.runs
        for place in stride(from: 0, to: lower.count, by: 4) {
            for scalar in stride(from: lower[place], through: lower[place + 1], by: Int(lower[place + 2])) {
                lowered[UInt32(scalar)] = scalar + lower[place + 3]
            }
        }
        addDecompositions()
    }

    private mutating func addDecompositions() {
        let runs = DecompositionData.runs
        for place in stride(from: 0, to: runs.count, by: 4) {
            for scalar in stride(from: runs[place], through: runs[place + 1], by: Int(runs[place + 2])) {
                bases[scalar] = runs[place + 3]
            }
        }
        for (data, width) in [(DecompositionData.pairs, 3), (DecompositionData.triples, 4)] {
            for place in stride(from: 0, to: data.count, by: width) {
                bases[data[place]] = Self.severalBit | UInt32(several.count)
                several.append(Array(data[(place + 1)..<(place + width)]))
            }
        }
        for (first, left) in [
            (UInt32(0xF900), DecompositionData.ideographsFromF900), (0x2F800, DecompositionData.ideographsFrom2F800),
        ] {
            for (offset, scalar) in left.unicodeScalars.enumerated() where scalar.value != first + UInt32(offset) {
                bases[first + UInt32(offset)] = scalar.value
            }
        }
    }

    private mutating func mark(_ ranges: [UInt32], as kind: ScalarClass) {
        for place in stride(from: 0, to: ranges.count, by: 2) {
            for scalar in ranges[place]...ranges[place + 1] { classes[scalar] |= kind.rawValue }
        }
    }

    @inline(__always) func kind(_ scalar: UInt32) -> ScalarClass { ScalarClass(rawValue: classes[scalar]) }

    /// Lower case, for all but U+0130, which becomes two scalars.
    @inline(__always) func lower(_ scalar: UInt32) -> UInt32 {
        let lower = lowered[scalar]
        return lower == 0 ? scalar : UInt32(lower)
    }

    /// What canonical decomposition leaves of `scalar` without its marks, other than marks themselves.
    @inline(__always) func forEachBase(of scalar: UInt32, _ body: (UInt32) -> Void) {
        if (0xAC00...0xD7A3).contains(scalar) {
            // A Hangul syllable: UAX #15's arithmetic.
            let index = scalar - 0xAC00
            body(0x1100 + index / 588)
            body(0x1161 + index % 588 / 28)
            if index % 28 != 0 { body(0x11A7 + index % 28) }
            return
        }
        let base = bases[scalar]
        if base == 0 {
            body(scalar)
        } else if base & Self.severalBit == 0 {
            body(base)
        } else {
            for part in several[Int(base & ~Self.severalBit)] { body(part) }
        }
    }
}

/// The classes of one scalar, with its combining class in the upper byte unless it is a mark that is removed.
struct ScalarClass: OptionSet {
    let rawValue: UInt16

    static let combiningShift: UInt16 = 8

    static let dropped = ScalarClass(rawValue: 1)
    static let cleanedToSpace = ScalarClass(rawValue: 2)
    static let separator = ScalarClass(rawValue: 4)
    static let ideograph = ScalarClass(rawValue: 8)
    static let punctuation = ScalarClass(rawValue: 16)
    static let mark = ScalarClass(rawValue: 32)
    /// A mark with combining class 0, across which marks are not put in order.
    static let startingMark = ScalarClass(rawValue: 64)

    var combiningClass: UInt16 { rawValue >> Self.combiningShift }
}
