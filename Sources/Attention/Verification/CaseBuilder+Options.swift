import AttentionCore

extension CaseSpec.Scale {
    /// What the call is given; `nil` for the default.
    var value: Double? {
        switch self {
        case .standard: nil
        case .zero: 0
        case .negative: -0.7
        case .large: 3
        case .tiny: 1e-4
        }
    }
}

extension CaseBuilder {
    /// `2^(−8(h+1)/H)` a head, as the ALiBi paper has it, or both signs and zero.
    var alibiSlopes: [Double]? {
        switch spec.alibi {
        case .none: nil
        case .standard: (0..<spec.queryHeads).map { power(-8 * Double($0 + 1) / Double(spec.queryHeads)) }
        case .signed: (0..<spec.queryHeads).map { [0.25, -0.125, 0, 1][$0 % 4] }
        }
    }

    private func power(_ exponent: Double) -> Double {
        // Rounded to a power of two or half-way between two: any slope serves.
        let whole = exponent.rounded(.down)
        return (1 + (exponent - whole)) * Double(sign: .plus, exponent: Int(whole), significand: 1)
    }

    mutating func makeSinks() -> [Double]? {
        switch spec.sinks {
        case .none: return nil
        case .finite:
            var sinks: [Double] = []
            for _ in 0..<spec.queryHeads { sinks.append(2 * random.normal()) }
            return sinks
        case .dominating: return (0..<spec.queryHeads).map { 60 + Double($0) }
        case .absent: return [Double](repeating: -.infinity, count: spec.queryHeads)
        }
    }

    mutating func makeLengths(_ capacities: [Int]) -> [Int]? {
        switch spec.lengths {
        case .none: return nil
        case .full: return capacities
        case .zero:
            // With several entries only the first is without a key.
            return capacities.enumerated().map { $0.offset == 0 ? 0 : max($0.element - 1, 0) }
        case .mixed:
            var lengths: [Int] = []
            for capacity in capacities { lengths.append(capacity > 1 ? 1 + random.below(capacity - 1) : capacity) }
            return lengths
        }
    }

    /// Four sequences of uneven length; `withEmpty` has empty ones, for queries and keys in different places.
    mutating func makeOffsets(_ total: Int, emptyAt place: Int) -> [Int] {
        var cuts: [Int] = []
        for _ in 0..<3 { cuts.append(random.below(total + 1)) }
        cuts.sort()
        var offsets = [0] + cuts + [total]
        if spec.packing == .withEmpty {
            offsets.insert(offsets[place], at: place + 1)
            offsets.append(total)
        }
        return offsets
    }

    // MARK: Mask

    private var maskShape: [Int] {
        let (b, h, q, k) = (spec.batch, spec.queryHeads, spec.queryLength, spec.keyLength)
        return switch spec.maskForm {
        case .none, .scalar: []
        case .bhqk: [b, h, q, k]
        case .b1qk: [b, 1, q, k]
        case .b11k: [b, 1, 1, k]
        case .oneHqk: [1, h, q, k]
        case .hqk: [h, q, k]
        case .oneQk: [1, q, k]
        case .qk, .transposed: [q, k]
        case .oneK: [1, k]
        case .k: [k]
        case .short: [q, k * 2 / 3]
        case .short1: [q, min(k, 1)]
        }
    }

    mutating func makeMask() throws(AttentionError) -> Tensor? {
        guard let type = spec.maskType else { return nil }
        let shape = maskShape
        let layout =
            spec.maskForm == .transposed
            ? try TensorLayout(shape: shape, memoryOrder: [1, 0]) : try TensorLayout(contiguous: shape)
        let storage = try makeStorage("mask", layout.extent.upperBound + OperandPlacement.tail, type)
        let columns = shape.last ?? 1
        let rows = shape.count > 1 ? shape[shape.count - 2] : 1
        // Row 0 and the last key stay open, so that few cases end up with nothing to attend.
        var closedRows: [Bool] = []
        var closedKeys: [Bool] = []
        for row in 0..<rows { closedRows.append(row > 0 && random.uniform() < 0.1) }
        for key in 0..<columns { closedKeys.append(key + 1 < columns && random.uniform() < 0.2) }
        var place = 0
        layout.forEachIndex { index in
            let (row, key) = (place / max(columns, 1) % max(rows, 1), place % max(columns, 1))
            place += 1
            let isClosed =
                switch spec.maskPattern {
                case .open: false
                case .closed: true
                case .firstRowClosed: row == 0
                case .mixed, .minus1e4, .minus65504, .minus8e37:
                    closedRows[row] || closedKeys[key] || random.uniform() < 0.25
                }
            let open = random.normal() * 2
            let value = type == .bool ? (isClosed ? 0 : 1) : isClosed ? spec.maskPattern.closedValue : open
            storage.store(value, type, at: index)
        }
        return try Tensor(storage: storage, layout: layout, elementType: type)
    }
}

extension CaseSpec.MaskPattern {
    /// What an additive mask adds where it closes.
    var closedValue: Double {
        switch self {
        case .minus1e4: -1e4
        case .minus65504: -65504
        case .minus8e37: -8e37
        case .mixed, .open, .closed, .firstRowClosed: -.infinity
        }
    }
}
