import AttentionCore

/// One call on a backend, with guarded memory for all that it writes.
struct CaseRun {
    /// What the call wrote, in host memory.
    let outputs: AttentionOutputs
    let kernel: String
    /// Where something else was written, in words.
    let damage: [String]

    /// - Parameters:
    ///   - arenas: the memory of the operands, to be found unchanged.
    ///   - isOnDevice: whether operands and results live in the backend's memory.
    init(
        _ inputs: AttentionInputs, _ problem: AttentionProblem, arenas: [Arena], spec: CaseSpec, backend: any Backend,
        policy: PlanPolicy
    ) throws(AttentionError) {
        let plan = try backend.plan(problem, policy)
        var results = OutputSet(spec: spec, backend: backend)
        let written = try results.make(problem, inputs)
        var operands = inputs
        var guarded = arenas
        if spec.onDevice {
            var moved: [ObjectIdentifier: any TensorStorage] = [:]
            guarded = []
            for arena in arenas {
                let copy = try arena.moved(to: backend)
                moved[ObjectIdentifier(arena.storage)] = copy.storage
                guarded.append(copy)
            }
            operands = try inputs.mapTensors { tensor throws(AttentionError) in
                guard let storage = moved[ObjectIdentifier(tensor.storage)] else { return tensor }
                return try Tensor(storage: storage, layout: tensor.layout, elementType: tensor.elementType)
            }
        }
        try problem.check(written, for: operands)
        let report = try plan.run(problem, operands, written, RunControl())
        kernel = report.kernel
        var damage: [String] = []
        for arena in guarded + results.arenas { if let found = try arena.damage() { damage.append(found) } }
        self.damage = damage
        outputs = try written.mapTensors { tensor throws(AttentionError) in try tensor.copiedToHost() }
    }
}

/// Makes the tensors that a call writes, each between bytes that it must not touch.
struct OutputSet {
    let spec: CaseSpec
    let backend: any Backend
    private(set) var arenas: [Arena] = []

    init(spec: CaseSpec, backend: any Backend) {
        self.spec = spec
        self.backend = backend
    }

    mutating func make(
        _ problem: AttentionProblem, _ inputs: AttentionInputs
    ) throws(AttentionError) -> AttentionOutputs {
        let lead = [problem.shape.batch, problem.shape.keyValueHeads, problem.shape.keyLength]
        let natural = try problem.outputLayout(like: inputs.query)
        var outputs = AttentionOutputs(
            output: try place("output", try outputLayout(natural), problem.queryType))
        if problem.wantsLogSumExp {
            let rows = [problem.shape.batch, problem.shape.queryHeads, problem.shape.queryLength]
            outputs.logSumExp = try place("logSumExp", try padded(rows), .float32)
        }
        if problem.scores != nil {
            let pairs = [
                problem.shape.batch, problem.shape.queryHeads, problem.shape.queryLength, problem.shape.keyLength,
            ]
            outputs.scores = try place("scores", try padded(pairs), problem.queryType)
        }
        if inputs.pastKey != nil {
            outputs.presentKey = try place(
                "presentKey", try padded(lead + [problem.shape.headDimension]), problem.queryType)
            outputs.presentValue = try place(
                "presentValue", try padded(lead + [problem.shape.valueDimension]), problem.valueType)
        }
        return outputs
    }

    /// The elements in front of the first one: a whole cache line, or an odd number.
    private var offset: Int { spec.outputLayout == .gapped ? 13 : 64 }

    private func padded(_ shape: [Int]) throws(AttentionError) -> TensorLayout {
        let layout = try TensorLayout(contiguous: shape)
        return try TensorLayout(shape: shape, strides: layout.strides, offset: offset)
    }

    private func outputLayout(_ natural: TensorLayout) throws(AttentionError) -> TensorLayout {
        var strides = natural.strides
        if spec.outputLayout == .gapped {
            // In the natural order of memory, with three elements between the lines of the innermost axis, one between others.
            var reach = 1
            var gap = 3
            for axis in natural.memoryOrder.reversed() {
                strides[axis] = reach
                reach = reach * max(natural.shape[axis], 1) + gap
                gap = 1
            }
        }
        return try TensorLayout(shape: natural.shape, strides: strides, offset: offset)
    }

    private mutating func place(
        _ name: String, _ layout: TensorLayout, _ type: ElementType
    ) throws(AttentionError) -> Tensor {
        let bytes = (layout.extent.upperBound + 64) * type.byteCount
        let arena = try Arena(output: name, layout: layout, type, bytes: bytes) {
            count throws(AttentionError) -> any TensorStorage in
            if spec.onDevice { try backend.makeStorage(byteCount: count) } else { try HostStorage(byteCount: count) }
        }
        arenas.append(arena)
        return try Tensor(storage: arena.storage, layout: layout, elementType: type)
    }
}

extension Tensor {
    /// The same layout in host memory, with all bytes of the storage.
    func copiedToHost() throws(AttentionError) -> Tensor {
        if storage.hostBytes != nil { return self }
        let host = try HostStorage(byteCount: storage.byteCount)
        try Arena.fill(host, try Arena.contents(storage))
        return try Tensor(storage: host, layout: layout, elementType: elementType)
    }
}

extension AttentionInputs {
    func mapTensors(
        _ change: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) -> AttentionInputs {
        var copy = self
        copy.query = try change(query)
        copy.key = try change(key)
        copy.value = try change(value)
        if let tensor = mask.tensor { copy.mask.tensor = try change(tensor) }
        if let tensor = pastKey { copy.pastKey = try change(tensor) }
        if let tensor = pastValue { copy.pastValue = try change(tensor) }
        return copy
    }
}

extension AttentionOutputs {
    func mapTensors(
        _ change: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) -> AttentionOutputs {
        var copy = self
        copy.output = try change(output)
        if let tensor = logSumExp { copy.logSumExp = try change(tensor) }
        if let tensor = scores { copy.scores = try change(tensor) }
        if let tensor = presentKey { copy.presentKey = try change(tensor) }
        if let tensor = presentValue { copy.presentValue = try change(tensor) }
        return copy
    }
}
