import AttentionCore
import KernelCalls
import OpenCLRuntime

/// The buffers that the launches of one call are given. Making them fills in the views of `kernelProblem`.
struct CallBuffers {
    let q: Buffer
    /// The keys and values to attend: the present ones if there are past ones.
    let k: Buffer
    let v: Buffer
    let o: Buffer
    let mask: Buffer?
    let scores: Buffer?
    let logSumExp: Buffer?
    let slopes: Buffer?
    let sinks: Buffer?
    /// What to copy before anything else, for keys and for values.
    let concatenations: [Concatenation]

    /// Past and new rows that become the present ones.
    struct Concatenation {
        let past: Buffer
        let fresh: Buffer
        let present: Buffer
        let pastView: KernelView
        let freshView: KernelView
        let presentView: KernelView
    }

    init(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs,
        _ operands: OperandBuffers, _ kernelProblem: inout KernelProblem
    ) throws(OpenCLError) {
        func input(_ tensor: Tensor, _ view: HeadView) throws(OpenCLError) -> (Buffer, KernelView) {
            let (buffer, shift) = try operands.input(tensor)
            return (buffer, KernelView(view, shift: shift))
        }
        func output(_ tensor: Tensor, _ view: HeadView) throws(OpenCLError) -> (Buffer, KernelView) {
            let (buffer, shift) = try operands.output(tensor)
            return (buffer, KernelView(view, shift: shift))
        }
        func optionalOutput(_ tensor: Tensor?) throws(OpenCLError) -> (Buffer?, KernelView) {
            guard let tensor else { return (nil, KernelView()) }
            return try output(tensor, problem.rowView(tensor))
        }
        (q, kernelProblem.q) = try input(inputs.query, problem.query)
        let (key, keyView) = try input(inputs.key, problem.key)
        let (value, valueView) = try input(inputs.value, problem.value)
        if let pastKey = inputs.pastKey, let pastValue = inputs.pastValue, let presentKey = outputs.presentKey,
            let presentValue = outputs.presentValue
        {
            let (oldKey, oldKeyView) = try input(pastKey, problem.rowView(pastKey))
            let (oldValue, oldValueView) = try input(pastValue, problem.rowView(pastValue))
            (k, kernelProblem.k) = try output(presentKey, problem.rowView(presentKey))
            (v, kernelProblem.v) = try output(presentValue, problem.rowView(presentValue))
            concatenations = [
                Concatenation(
                    past: oldKey, fresh: key, present: k, pastView: oldKeyView, freshView: keyView,
                    presentView: kernelProblem.k),
                Concatenation(
                    past: oldValue, fresh: value, present: v, pastView: oldValueView, freshView: valueView,
                    presentView: kernelProblem.v),
            ]
        } else {
            (k, kernelProblem.k) = (key, keyView)
            (v, kernelProblem.v) = (value, valueView)
            concatenations = []
        }
        if let tensor = inputs.mask.tensor, let view = problem.mask, tensor.count > 0 {
            (mask, kernelProblem.mask) = try input(tensor, view)
        } else {
            mask = nil
        }
        (o, kernelProblem.o) = try output(outputs.output, problem.outputView(outputs.output))
        (scores, kernelProblem.scores) = try optionalOutput(outputs.scores)
        (logSumExp, kernelProblem.logSumExp) = try optionalOutput(outputs.logSumExp)
        slopes = try operands.constants(problem.alibiSlopes.map { Float($0) })
        sinks = try operands.constants(problem.sinks.map { Float($0) })
    }
}
