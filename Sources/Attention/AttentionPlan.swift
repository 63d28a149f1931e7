/// A way to run attention of one shape, chosen and built ahead of the calls.
///
/// ```swift
/// let plan = try device.attentionPlan(AttentionShape(queryLength: 512, keyLength: 512, headDimension: 64), mask: .causal)
/// print(plan.explain())
/// let output = try plan.forward(query: q, key: k, value: v)
/// ```
public struct AttentionPlan: Sendable {
    public let device: Device
    public let shape: AttentionShape
    public let elementType: ElementType
    public let explanation: PlanExplanation
    private let plan: any BackendPlan
    private let mask: AttentionMask
    private let options: AttentionOptions

    init(
        _ device: Device, _ shape: AttentionShape, _ mask: AttentionMask, _ elementType: ElementType,
        _ options: AttentionOptions, _ policy: PlanPolicy
    ) throws(AttentionError) {
        self.device = device
        self.shape = shape
        self.elementType = elementType
        self.mask = mask
        self.options = options
        // A problem of that shape without any memory behind it: one element that every index means.
        let storage = try HostStorage(byteCount: elementType.byteCount)
        func operand(_ sizes: [Int]) throws(AttentionError) -> Tensor {
            let layout = try TensorLayout(shape: sizes, strides: sizes.map { _ in 0 })
            return try Tensor(storage: storage, layout: layout, elementType: elementType)
        }
        let inputs = AttentionInputs(
            query: try operand([shape.batch, shape.queryHeads, shape.queryLength, shape.headDimension]),
            key: try operand([shape.batch, shape.keyValueHeads, shape.keyLength, shape.headDimension]),
            value: try operand([shape.batch, shape.keyValueHeads, shape.keyLength, shape.valueDimension]), mask: mask)
        plan = try device.backend.plan(try AttentionProblem(inputs, options), policy)
        explanation = plan.explanation
    }

    /// What was chosen, and why, for people.
    public func explain() -> String {
        var lines = ["attention \(shape) \(elementType) on \(device.description.name) (\(device.description.platform))"]
        lines.append("kernel: \(explanation.kernel)")
        lines += explanation.choices.map { "  \($0)" }
        lines += explanation.refusals.map { "  not \($0)" }
        lines += device.skipped.map { "  passed over: \($0)" }
        if isUnoptimizedBuild {
            lines.append("  this program was built without optimisation: expect the host side to be slow")
        }
        return lines.joined(separator: "\n")
    }

    /// Runs the plan. The output lives where the query lives: nothing leaves the device between calls.
    ///
    /// - Throws: ``AttentionError/invalid(_:)`` if an operand is of another shape or type than was planned.
    public func forward(query: Tensor, key: Tensor, value: Tensor) throws(AttentionError) -> Tensor {
        let inputs = AttentionInputs(query: query, key: key, value: value, mask: mask)
        let problem = try AttentionProblem(inputs, options)
        guard problem.shape == shape else {
            throw .invalid("query", .shape, expected: "the planned \(shape)", found: "\(problem.shape)")
        }
        for (name, type) in [("query", problem.queryType), ("value", problem.valueType)] where type != elementType {
            throw .invalid(name, .elementType, expected: "the planned \(elementType)", found: "\(type)")
        }
        let isOnHost = query.storage.hostBytes != nil
        let outputs = try problem.makeOutputs(for: inputs) { (bytes) throws(AttentionError) in
            isOnHost ? try HostStorage(byteCount: bytes) : try device.backend.makeStorage(byteCount: bytes)
        }
        if !problem.isEmpty { _ = try plan.run(problem, inputs, outputs, RunControl()) }
        return outputs.output
    }
}

extension Device {
    /// Chooses and builds what attention of `shape` needs, so that the first call is as quick as the next.
    ///
    /// - Parameters:
    ///   - mask: as the calls will have it; a mask tensor given here is the one that is used.
    ///   - elementType: of query, key and value.
    /// - Throws: ``AttentionError/unsupported(device:reason:)`` if this device cannot run it.
    public func attentionPlan(
        _ shape: AttentionShape, mask: AttentionMask = .none, elementType: ElementType = .float32,
        options: AttentionOptions = .init(), policy: PlanPolicy = .init()
    ) throws(AttentionError) -> AttentionPlan {
        try AttentionPlan(self, shape, mask, elementType, options, policy)
    }
}

/// True in a debug build.
var isUnoptimizedBuild: Bool {
    var isDebug = false
    assert({ isDebug = true }() == ())
    return isDebug
}
