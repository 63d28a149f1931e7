import Attention

/// Checks and times shapes on one device.
struct Bench {
    let device: Device
    let policy: PlanPolicy
    let rounds: Int
    let loops: [any PeakLoops]

    func measure(_ shape: BenchShape) throws -> BenchResult {
        let backend = device.backend
        let inputs = try TimedOperands(shape.shape, shape.type, shape.mask, on: backend)
        let problem = try AttentionProblem(inputs.host)
        let plan = try backend.plan(problem, policy)
        let outputs = try problem.makeOutputs(for: inputs.host) { count throws(AttentionError) in
            try backend.makeStorage(byteCount: count)
        }
        let report = try plan.run(problem, inputs.resident[0], outputs, RunControl())
        let check = try SampledCheck(inputs.host, precision: policy.precision)
        let failure = try check.findings(try outputs.output.onHost()).first.map { CaseFinding($0) }
        var measurement: BenchMeasurement?
        if failure == nil {
            measurement = try BenchMeasurement(rounds: rounds, loops: loops) { index in
                let copy = inputs.resident[index % inputs.resident.count]
                _ = try plan.run(problem, copy, outputs, RunControl())
            }
        }
        let width = shape.shape.headDimension + shape.shape.valueDimension
        return BenchResult(
            device: device.description, kernel: report.kernel, shape: shape, coverage: check.coverage, failure: failure,
            measurement: measurement,
            flops: 2 * Double(problem.attendedPairs) * Double(width))
    }
}
