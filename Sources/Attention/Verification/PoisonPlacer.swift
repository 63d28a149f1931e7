import AttentionCore

/// Puts NaN, infinities and huge numbers where no row may see them, or into one place that is attended.
///
/// Which pairs are excluded is worked out here once more, from SEMANTICS' order of operations, rather than taken from the reference.
struct PoisonPlacer {
    let spec: CaseSpec
    let problem: AttentionProblem
    let inputs: AttentionInputs

    func place(using random: inout SeededGenerator) {
        if spec.poison == .none || problem.isEmpty { return }
        if spec.poison.isHidden { placeHidden() } else { placeAttended(using: &random) }
    }

    /// Whether row `i` of a segment attends key `j` of the segment.
    private func attends(_ segment: Segment, _ head: Int, _ i: Int, _ j: Int) -> Bool {
        guard j < segment.keyCount else { return false }
        let position = i + segment.offset
        if problem.isCausal && j > position { return false }
        if let left = problem.windowLeft, left < position, j < position - left { return false }
        if let right = problem.windowRight, j > position, j - position > right { return false }
        let key = segment.keyStart + j
        if key >= problem.maskKeys { return false }
        guard let view = problem.mask, let tensor = inputs.mask.tensor else { return true }
        let entry = load(tensor, view.index(segment.batch, head, segment.queryStart + i, key))
        return tensor.elementType == .bool ? entry != 0 : entry != -.infinity
    }

    private func placeHidden() {
        let shape = problem.shape
        let group = shape.queryHeads / max(shape.keyValueHeads, 1)
        var seen = [Bool](repeating: false, count: shape.batch * shape.keyValueHeads * shape.keyLength)
        for segment in problem.segments {
            for head in 0..<shape.queryHeads {
                let line = (segment.batch * shape.keyValueHeads + head / group) * shape.keyLength + segment.keyStart
                for i in 0..<segment.queryCount {
                    for j in 0..<segment.keyCount where attends(segment, head, i, j) { seen[line + j] = true }
                }
            }
        }
        for (index, isSeen) in seen.enumerated() where !isSeen {
            let (line, key) = (index / shape.keyLength, index % shape.keyLength)
            let (b, h) = (line / shape.keyValueHeads, line % shape.keyValueHeads)
            for column in 0..<shape.headDimension { storeKey(b, h, key, column, bad(problem.queryType)) }
            for column in 0..<shape.valueDimension { storeValue(b, h, key, column, bad(problem.valueType)) }
        }
        placeInMask()
    }

    /// Poisons entries of a full mask at pairs that causal mask, window or padding exclude.
    private func placeInMask() {
        guard let tensor = inputs.mask.tensor, let view = problem.mask, tensor.elementType != .bool,
            spec.maskForm == .bhqk, !problem.isPacked
        else { return }
        for segment in problem.segments {
            for head in 0..<problem.shape.queryHeads {
                for i in 0..<segment.queryCount {
                    for j in 0..<segment.keyCapacity where !attends(segment, head, i, j) {
                        let index = view.index(segment.batch, head, segment.queryStart + i, segment.keyStart + j)
                        if load(tensor, index) == -.infinity { continue }
                        store(tensor, index, bad(tensor.elementType))
                    }
                }
            }
        }
    }

    private func placeAttended(using random: inout SeededGenerator) {
        guard let (segment, head, i, j) = someAttendedPair(using: &random) else { return }
        let key = segment.keyStart + j
        let b = segment.batch
        let group = problem.keyValueHead(head)
        switch spec.poison {
        case .keyNaN: storeKey(b, group, key, random.below(problem.shape.headDimension), .nan)
        case .queryNaN:
            let column = random.below(problem.shape.headDimension)
            store(inputs.query, problem.query.index(b, head, segment.queryStart + i, column), .nan)
        case .valueNaN, .valuePlusInfinity, .valueMinusInfinity:
            let value: Double =
                spec.poison == .valueNaN ? .nan : spec.poison == .valuePlusInfinity ? .infinity : -.infinity
            storeValue(b, group, key, random.below(problem.shape.valueDimension), value)
        case .maskNaN, .maskPlusInfinity:
            guard let tensor = inputs.mask.tensor, let view = problem.mask, tensor.elementType != .bool else { return }
            let index = view.index(b, head, segment.queryStart + i, key)
            store(tensor, index, spec.poison == .maskNaN ? .nan : .infinity)
        case .none, .nan, .plusInfinity, .minusInfinity, .huge: break
        }
    }

    private func someAttendedPair(using random: inout SeededGenerator) -> (Segment, Int, Int, Int)? {
        for _ in 0..<200 {
            let segment = random.pick(problem.segments)
            if segment.queryCount == 0 || segment.keyCount == 0 { continue }
            let head = random.below(problem.shape.queryHeads)
            let (i, j) = (random.below(segment.queryCount), random.below(segment.keyCount))
            if attends(segment, head, i, j) { return (segment, head, i, j) }
        }
        return nil
    }

    private func bad(_ type: ElementType) -> Double {
        switch spec.poison {
        case .plusInfinity: .infinity
        case .minusInfinity: -.infinity
        case .huge: type == .float16 ? 65504 : 0x1.FEp127
        default: .nan
        }
    }

    // MARK: Single elements

    private func storeKey(_ b: Int, _ h: Int, _ key: Int, _ column: Int, _ value: Double) {
        put(inputs.pastKey, inputs.key, problem.key, b, h, key, column, value)
    }

    private func storeValue(_ b: Int, _ h: Int, _ key: Int, _ column: Int, _ value: Double) {
        put(inputs.pastValue, inputs.value, problem.value, b, h, key, column, value)
    }

    private func put(
        _ past: Tensor?, _ new: Tensor, _ view: HeadView, _ b: Int, _ h: Int, _ key: Int, _ column: Int, _ value: Double
    ) {
        if let past, key < problem.pastLength {
            let s = past.strides
            store(past, past.layout.offset + b * s[0] + h * s[1] + key * s[2] + column * s[3], value)
        } else {
            store(new, view.index(b, h, key - problem.pastLength, column), value)
        }
    }

    private func store(_ tensor: Tensor, _ index: Int, _ value: Double) {
        (tensor.storage as? HostStorage)?.store(value, tensor.elementType, at: index)
    }

    private func load(_ tensor: Tensor, _ index: Int) -> Double {
        tensor.storage.hostBytes?.baseAddress.map { tensor.elementType.load($0, index) } ?? 0
    }
}
