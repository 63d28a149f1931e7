import AttentionCore
import AttentionOpenCL

/// A kernel with tiles, ready to be timed on one call.
struct TunedCandidate {
    let kernel: String
    let sizes: [String: Int]
    /// What else tells its program from others.
    let choices: [String]
    private let plan: any BackendPlan
    private let call: TunedCall
    private let copies = CallCounter()

    /// Plans it and holds it to the reference: in two small calls with every option, and in the call itself.
    ///
    /// - Parameter policy: Names the kernel and its tiles; `nil` where the plan chooses.
    /// - Throws: `unsupported`, saying why, for a candidate that is not possible or wrong.
    init(_ policy: PlanPolicy, _ call: TunedCall) throws(AttentionError) {
        plan = try call.backend.plan(call.problem, policy)
        let explanation = plan.explanation
        (kernel, sizes, choices) = (explanation.kernel, explanation.sizes, explanation.choices)
        self.call = call
        var named = policy
        named.kernel = kernel
        switch SelfTestExaminer.run(call.cases, on: call.backend, named) {
        case .passed, .impossible: break
        case .failed(let reason), .crashed(let reason):
            throw .unsupported(device: call.backend.device.name, reason: "\(kernel): wrong in a self-test: \(reason)")
        }
        try call.poison()
        try run()
        if let finding = try call.check.findings(try call.outputs.output.onHost()).first {
            throw .unsupported(device: call.backend.device.name, reason: "\(kernel): wrong at this shape: \(finding)")
        }
    }

    private func run() throws(AttentionError) {
        let inputs = call.operands.resident[copies.next() % call.operands.resident.count]
        _ = try plan.run(call.problem, inputs, call.outputs, RunControl())
    }

    /// Milliseconds of a call, over `count` of them.
    func milliseconds(of count: Int) throws(AttentionError) -> Double {
        let start = ContinuousClock.now
        for _ in 0..<count { try run() }
        return (ContinuousClock.now - start) / .milliseconds(1) / Double(count)
    }

    /// Calls to a sample: it lasts some milliseconds, so that the clock and a single interruption weigh little.
    static func callCount(_ milliseconds: Double) -> Int { max(1, min(500, Int(4 / max(milliseconds, 1e-3)))) }
}

/// The number of the next call, which takes the next copy of keys and values.
private final class CallCounter {
    private var count = 0

    func next() -> Int {
        count += 1
        return count - 1
    }
}

/// The call that candidates are timed on.
struct TunedCall {
    let backend: OpenCLBackend
    let problem: AttentionProblem
    let operands: TimedOperands
    let outputs: AttentionOutputs
    let check: SampledCheck
    let cases: SelfTestCases

    init(
        _ backend: OpenCLBackend, _ operands: TimedOperands, _ precision: Precision
    ) throws(AttentionError) {
        self.backend = backend
        self.operands = operands
        problem = try AttentionProblem(operands.host)
        outputs = try problem.makeOutputs(for: operands.host) { count throws(AttentionError) in
            try backend.makeStorage(byteCount: count)
        }
        check = try SampledCheck(operands.host, precision: precision)
        cases = SelfTestCases(problem)
    }

    /// Makes the output NaN everywhere, so that what a candidate leaves out is seen.
    func poison() throws(AttentionError) {
        let storage = outputs.output.storage
        let bytes = [UInt8](repeating: 0xFF, count: storage.byteCount)
        var failure: AttentionError?
        bytes.withUnsafeBytes { raw in
            do throws(AttentionError) { try storage.upload(raw, at: 0) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
