import Testing

@testable import Attention

/// Plans: what they are made for, what they take, and what they say.
@Suite struct AttentionPlanTests {
    let shape = AttentionShape(
        batch: 2, queryHeads: 4, keyValueHeads: 2, queryLength: 5, keyLength: 7, headDimension: 8, valueDimension: 6)

    @Test func aPlanRunsManyCalls() throws {
        let backend = FakeBackend()
        let plan = try Device.quiet(backend).attentionPlan(shape, mask: .causal)
        for seed in UInt64(1)...3 {
            let inputs = try smallInputs(seed: seed)
            let output = try plan.forward(query: inputs.query, key: inputs.key, value: inputs.value)
            #expect(try output.contiguousBytes() == inputs.expected())
        }
        #expect(backend.plans.load(ordering: .relaxed) == 1)
        #expect(backend.runs.load(ordering: .relaxed) == 3)
    }

    @Test func resultsStayOnTheDevice() async throws {
        let device = Device.quiet(FakeBackend())
        let plan = try device.attentionPlan(shape, mask: .causal)
        let inputs = try smallInputs()
        let query = try device.tensor(inputs.query)
        let output = try await plan.forward(query: query, key: inputs.key, value: inputs.value)
        #expect(output.storage.place == "Fake GPU")
        #expect(try output.contiguousBytes() == inputs.expected())
    }

    @Test func stridesAndLengthsAreFree() throws {
        let plan = try Device.quiet(FakeBackend()).attentionPlan(shape, mask: .causal)
        var inputs = try smallInputs()
        inputs.keyLengths = [3, 7]
        let query = try Numbers.transposedCopy(inputs.query)
        let output = try plan.forward(query: query, key: inputs.key, value: inputs.value, keyLengths: [3, 7])
        #expect(try output.contiguousBytes() == inputs.expected())
        #expect(output.layout.memoryOrder == query.layout.memoryOrder)
    }

    @Test func aMaskTensorIsPlannedByTypeAndShape() throws {
        let device = Device.quiet(FakeBackend())
        let padding = try Tensor((0..<14).map { $0 % 3 != 1 }, shape: [2, 1, 1, 7])
        let plan = try device.attentionPlan(shape, mask: [.causal, .tensor(shape: [2, 1, 1, 7])])
        let inputs = try smallInputs(mask: [.causal, .tensor(padding)])
        let (q, k, v) = (inputs.query, inputs.key, inputs.value)
        #expect(try plan.forward(query: q, key: k, value: v, mask: padding).contiguousBytes() == inputs.expected())
        // A plan that has the tensor itself uses it.
        let fixed = try device.attentionPlan(shape, mask: inputs.mask)
        #expect(try fixed.forward(query: q, key: k, value: v).contiguousBytes() == inputs.expected())

        let none = #expect(throws: AttentionError.self) { try plan.forward(query: q, key: k, value: v) }
        #expect(none?.description == "mask: expected a tensor with memory, found a placeholder")
        let added = try Tensor([Float](repeating: 0, count: 14), shape: [2, 1, 1, 7])
        let type = #expect(throws: AttentionError.self) { try plan.forward(query: q, key: k, value: v, mask: added) }
        #expect(type?.description == "mask: expected bool, which the plan was made for, found f32")
        let row = try Tensor([Bool](repeating: true, count: 7), shape: [7])
        let broadcast = #expect(throws: AttentionError.self) { try plan.forward(query: q, key: k, value: v, mask: row) }
        #expect(
            broadcast?.description == "mask: expected [2, 1, 1, 7], which the plan was made for, found [1, 1, 1, 7]")
    }

    @Test func whatWasNotPlannedIsRefused() throws {
        let backend = FakeBackend()
        let plan = try Device.quiet(backend).attentionPlan(shape, mask: .causal)
        var random = Numbers(state: 5)
        func check(_ operand: String, _ change: (inout AttentionInputs) throws -> Void) throws {
            var inputs = try smallInputs()
            try change(&inputs)
            let changed = inputs
            let error = #expect(throws: AttentionError.self) { try plan.attend(changed) }
            guard case .invalid(let invalid) = error else {
                Issue.record("\(operand): \(String(describing: error))")
                return
            }
            #expect(invalid.operand == operand)
        }
        try check("shape") { $0 = try smallInputs(queryLength: 4) }
        try check("shape") { $0 = try smallInputs(keyLength: 8) }
        try check("query") {
            $0.query = try Tensor($0.query.floats(), shape: $0.query.shape, elementType: .float16)
            $0.key = try Tensor($0.key.floats(), shape: $0.key.shape, elementType: .float16)
        }
        try check("value") { $0.value = try Tensor($0.value.floats(), shape: $0.value.shape, elementType: .bfloat16) }
        try check("mask") { $0.mask.tensor = try Tensor([true], shape: [1]) }
        try check("isCausal") { $0.mask = .none }
        try check("windowLeft") { $0.mask.windowLeft = 3 }
        try check("windowRight") { $0.mask.windowRight = 3 }
        try check("alignment") { $0.mask.alignment = .bottomRight }
        try check("alibiSlopes") { $0.alibiSlopes = [1, 1, 1, 1] }
        try check("sinks") { $0.sinks = [1, 1, 1, 1] }
        try check("pastKey") {
            $0 = try smallInputs(keyLength: 4)
            $0.pastKey = try random.tensor([2, 2, 3, 8])
            $0.pastValue = try random.tensor([2, 2, 3, 6])
        }
        #expect(backend.runs.load(ordering: .relaxed) == 0)
    }

    @Test func packedAndPastPlans() throws {
        let device = Device.quiet(FakeBackend())
        var packed = try smallInputs(batch: 1)
        packed.cumulativeQueryOffsets = [0, 2, 5]
        packed.cumulativeKeyOffsets = [0, 3, 7]
        let plan = try device.attentionPlan(for: packed)
        #expect(try plan.attend(packed).output.contiguousBytes() == packed.expected())
        packed.cumulativeQueryOffsets = [0, 4, 5]
        #expect(try plan.attend(packed).output.contiguousBytes() == packed.expected())
        packed.cumulativeQueryOffsets = [0, 1, 4, 5]
        packed.cumulativeKeyOffsets = [0, 1, 4, 7]
        let three = packed
        #expect(throws: AttentionError.self) { try plan.attend(three) }

        var past = try smallInputs(keyLength: 4)
        var random = Numbers(state: 5)
        past.pastKey = try random.tensor([2, 2, 3, 8])
        past.pastValue = try random.tensor([2, 2, 3, 6])
        let step = try device.attentionPlan(for: past, .init(logSumExp: true)).attend(past)
        #expect(try step.output.contiguousBytes() == past.expected())
        #expect(step.presentKey?.shape == [2, 2, 7, 8])
        #expect(step.logSumExp?.shape == [2, 4, 5])
    }

    @Test func aPlanFallsBackInACall() throws {
        let plan = try Device.quiet(FakeBackend(failingRun: 1)).attentionPlan(shape, mask: .causal)
        let inputs = try smallInputs()
        let result = try plan.attend(inputs)
        #expect(result.fallbacks.count == 1)
        #expect(try result.output.contiguousBytes() == inputs.expected())
        let strict = try Device.quiet(FakeBackend(failingRun: 1)).attentionPlan(shape, mask: .causal)
        #expect(throws: AttentionError.self) { try strict.attend(inputs, fallback: .never) }
    }

    @Test(arguments: DeviceFallbackTests.errors)
    func aPlanIsMadeEvenWhereTheDeviceFailsAtIt(_ error: AttentionError) throws {
        let clock = StoppedClock()
        let backend = FakeBackend(planError: error)
        let device = Device.quiet(backend, now: clock.now)
        #expect(throws: error) { try device.attentionPlan(shape, fallback: .never) }
        device.wake()
        let plan = try device.attentionPlan(shape, mask: .causal)
        #expect(plan.fallbacks == [Fallback(from: "Fake GPU", reason: "\(error)")])
        #expect(plan.planned.kind == .reference)
        #expect(plan.explain().contains("computes   reference (Double)"))
        #expect(plan.explain().contains("failed     Fake GPU: \(error)"))
        let inputs = try smallInputs()
        let before = backend.plans.load(ordering: .relaxed)
        let result = try plan.attend(inputs)
        #expect(result.fallbacks.count == 1)
        #expect(try result.output.contiguousBytes() == inputs.expected())
        // Only after a failure that says the device is broken is it left alone.
        let isRested = if case .deviceFailed = error { true } else { false }
        #expect((device.resting != nil) == isRested)
        #expect(backend.plans.load(ordering: .relaxed) == before + (isRested ? 0 : 1))
        clock.advance(by: .seconds(31))
        #expect(try plan.attend(inputs).fallbacks.first?.reason == "\(error)")
        #expect(throws: error) { try plan.attend(inputs, fallback: .never) }
    }

    @Test func aPlanForAKernelAskedForByNameIsThatKernelOrNone() throws {
        let refusal = AttentionError.unsupported(device: "fake", reason: "no such kernel")
        let device = Device.quiet(FakeBackend(planError: refusal))
        #expect(throws: refusal) { try device.attentionPlan(shape, policy: PlanPolicy(kernel: "flash_wide")) }
    }

    @Test func anEmptyPlanLaunchesNothing() throws {
        let backend = FakeBackend()
        let plan = try Device.quiet(backend).attentionPlan(
            AttentionShape(queryLength: 0, keyLength: 3, headDimension: 4))
        let tensor = try Tensor(uninitialized: [1, 1, 3, 4])
        let query = try Tensor(uninitialized: [1, 1, 0, 4])
        #expect(try plan.forward(query: query, key: tensor, value: tensor).shape == [1, 1, 0, 4])
        #expect(plan.explanation.kernel == "none")
        #expect(backend.plans.load(ordering: .relaxed) == 0)
    }

    @Test func impossiblePlansAreRefused() {
        let device = Device.quiet(FakeBackend())
        #expect(throws: AttentionError.self) {
            try device.attentionPlan(AttentionShape(queryLength: -1, keyLength: 3, headDimension: 4))
        }
        #expect(throws: AttentionError.self) {
            try device.attentionPlan(AttentionShape(queryLength: .max, keyLength: .max, headDimension: 4))
        }
        #expect(throws: AttentionError.self) {
            try device.attentionPlan(shape, mask: .tensor(shape: [3, 7]))
        }
    }

    @Test func explainSaysWhatAndWhy() throws {
        let mask: AttentionMask = try [
            .causal(alignment: .bottomRight), .window(left: 3), .tensor(shape: [7]),
        ]
        let plan = try Device.quiet(FakeBackend()).attentionPlan(
            shape, mask: mask, elementType: .float16, valueType: .bfloat16, options: .init(softcap: 30))
        let build =
            isUnoptimizedBuild
            ? "not optimised: this is a debug build, many times slower on the host; build with -c release" : "optimised"
        #expect(
            plan.explain() == """
                attention  B2 H4/2 L5×7 D8/6, f16, values bf16, causal, window 3 left, unbounded right, bottom-right, \
                mask bool [1, 1, 1, 7], softcap 30.0
                device     opencl:0.0, Fake GPU (Fake Platform), gpu
                chosen     given by the caller
                kernel     fake_kernel
                because    it is the only one
                refused    flash_wide: it is not here
                scratch    4096 bytes
                build      \(build)
                """)
    }

    @Test func theReferencePlansToo() throws {
        let plan = try Device.reference.attentionPlan(shape, mask: .causal)
        #expect(plan.explain().contains("kernel     reference"))
        let inputs = try smallInputs()
        let output = try plan.forward(query: inputs.query, key: inputs.key, value: inputs.value)
        #expect(try output.contiguousBytes() == inputs.expected())
    }
}

extension Numbers {
    /// The same elements, `[batch, row, head, column]` in memory.
    static func transposedCopy(_ tensor: Tensor) throws -> Tensor {
        let memory = try tensor.permuted([0, 2, 1, 3])
        return try Tensor(memory.floats(), shape: memory.shape).permuted([0, 2, 1, 3])
    }
}
