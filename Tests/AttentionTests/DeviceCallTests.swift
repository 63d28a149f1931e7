import Testing

@testable import Attention

/// What a call returns, where it puts it, and what it refuses.
@Suite struct DeviceCallTests {
    @Test func theSimpleCallsAgree() throws {
        let inputs = try smallInputs()
        let shape = AttentionShape(
            batch: 2, queryHeads: 4, keyValueHeads: 2, queryLength: 5, keyLength: 7, headDimension: 8, valueDimension: 6
        )
        let device = Device.reference
        let tensor = try attention(
            query: inputs.query, key: inputs.key, value: inputs.value, mask: .causal, device: device)
        #expect(try tensor.contiguousBytes() == inputs.expected())
        #expect(tensor.shape == [2, 4, 5, 6])
        let array = try attention(
            query: inputs.query.floats(), key: inputs.key.floats(), value: inputs.value.floats(), shape: shape,
            mask: .causal, device: device)
        #expect(try array == tensor.floats())
    }

    @Test func aSingleHeadOfArrays() throws {
        // One query that fits the second key far better than the first.
        let output = try attention(
            query: [0, 200], key: [1, 0, 0, 1], value: [1, 2, 3, 4, 5, 6], headDimension: 2, valueDimension: 3,
            device: .reference)
        #expect(output == [4, 5, 6])
    }

    @Test func theSimpleCallTakesEveryOption() throws {
        var inputs = try smallInputs(mask: .window(left: 2))
        inputs.keyLengths = [7, 3]
        inputs.alibiSlopes = [0.5, 0.25, 0.125, 0]
        inputs.sinks = [0, 1, -.infinity, 2]
        let output = try attention(
            query: inputs.query, key: inputs.key, value: inputs.value, mask: inputs.mask, scale: 0.3, softcap: 2,
            keyLengths: inputs.keyLengths, alibiSlopes: inputs.alibiSlopes, sinks: inputs.sinks, device: .reference)
        #expect(try output.contiguousBytes() == inputs.expected(.init(scale: 0.3, softcap: 2)))
    }

    @Test func operandsOfRank3NeedHeads() throws {
        var random = Numbers(state: 3)
        let (q, k, v) = (
            try random.tensor([1, 3, 8]), try random.tensor([1, 4, 4]), try random.tensor([1, 4, 6])
        )
        let output = try attention(
            query: q, key: k, value: v, queryHeads: 4, keyValueHeads: 2, device: .reference)
        #expect(output.shape == [1, 3, 12])
        let error = #expect(throws: AttentionError.self) {
            try attention(query: q, key: k, value: v, device: .reference)
        }
        #expect(error?.description.hasPrefix("queryHeads") == true)
    }

    @Test func aWrongCountOfElementsNamesTheArray() {
        let shape = AttentionShape(queryLength: 1, keyLength: 2, headDimension: 2)
        let error = #expect(throws: AttentionError.self) {
            try attention(query: [1, 2], key: [1, 2, 3], value: [1, 2, 3, 4], shape: shape, device: .reference)
        }
        #expect(error?.description == "key: expected 4 elements for shape [1, 1, 2, 2], found 3")
    }

    @Test func aResultTellsHowItCame() throws {
        let backend = FakeBackend()
        let result = try Device.quiet(backend).attend(smallInputs(), .init(scores: .probabilities, logSumExp: true))
        #expect(result.device == backend.device)
        #expect(result.report == RunReport(kernel: "fake_kernel", build: .compiled, scratchBytes: 4096))
        #expect(result.fallbacks.isEmpty)
        #expect(result.milliseconds > 0)
        #expect(result.logSumExp?.shape == [2, 4, 5])
        #expect(result.scores?.shape == [2, 4, 5, 7])
        #expect(result.presentKey == nil)
    }

    @Test func resultsLiveWhereTheQueryLives() throws {
        let device = Device.quiet(FakeBackend())
        let inputs = try smallInputs()
        #expect(try device.attend(inputs).output.storage.place == "host")
        var far = inputs
        far.query = try inputs.query.moved(to: device)
        #expect(far.query.storage.place == "Fake GPU")
        #expect(try far.query.moved(to: device).storage === far.query.storage)
        let output = try device.attend(far).output
        #expect(output.storage.place == "Fake GPU")
        #expect(try output.contiguousBytes() == inputs.expected())
        #expect(try output.onHost().storage.place == "host")
        // A query on another device is no reason to stay there.
        let other = Device.quiet(FakeBackend(.fake("opencl:1.0", "Other GPU")))
        #expect(try other.attend(far).output.storage.place == "host")
        #expect(try inputs.query.moved(to: .reference).storage === inputs.query.storage)
        #expect(try device.tensor([Float(1), 2], shape: [2]).contiguousBytes() == [0, 0, 128, 63, 0, 0, 0, 64])
    }

    /// The caller's tensor: wider than its elements, so that what stands between them must survive.
    @Test(arguments: [false, true]) func writesIntoTheCallersTensor(onDevice: Bool) throws {
        let device = Device.quiet(FakeBackend())
        let inputs = try smallInputs()
        let whole = try Tensor([Float](repeating: 42, count: 2 * 5 * 4 * 16), shape: [2, 5, 4, 16])
        let storage = onDevice ? try whole.moved(to: device) : whole
        // Written as [batch, row, head, column], read as [batch, head, row, column], the columns 3..<9 of 16.
        let output = try storage.permuted([0, 2, 1, 3]).sliced(axis: 3, 3..<9)
        let result = try device.attend(inputs, into: output)
        #expect(result.output.storage === output.storage)
        #expect(try output.contiguousBytes() == inputs.expected())
        let between = try storage.sliced(axis: 3, 0..<3).floats() + storage.sliced(axis: 3, 9..<16).floats()
        #expect(between.allSatisfy { $0 == 42 })
    }

    @Test func refusesOutputsThatCannotBeRight() throws {
        let device = Device.quiet(FakeBackend())
        let inputs = try smallInputs(valueDimension: 8)
        let bad: [(String, Tensor)] = [
            ("shape", try Tensor(uninitialized: [2, 4, 5, 7])),
            ("f32", try Tensor(uninitialized: [2, 4, 5, 8], .float16)),
            ("memory apart from query", inputs.query),
            ("strides", try inputs.key.viewed(shape: [2, 4, 5, 8], strides: [8, 8, 8, 1])),
            ("a tensor with memory", try .placeholder([2, 4, 5, 8])),
        ]
        for (part, output) in bad {
            let error = #expect(throws: AttentionError.self) { try device.attend(inputs, into: output) }
            guard case .invalid(let invalid) = error else {
                Issue.record("\(part): \(String(describing: error))")
                continue
            }
            #expect(invalid.operand == "output")
            #expect(invalid.description.contains(part), "\(invalid)")
        }
        // Everything is to be given when anything is given as a whole.
        let output = try Tensor(uninitialized: [2, 4, 5, 8])
        #expect(throws: AttentionError.self) {
            try device.attend(inputs, .init(logSumExp: true), into: AttentionOutputs(output: output))
        }
    }

    @Test func refusesPlaceholdersAndLaunchesNothing() throws {
        let backend = FakeBackend()
        var inputs = try smallInputs()
        inputs.mask = try .tensor(shape: [5, 7])
        let error = #expect(throws: AttentionError.self) { try Device.quiet(backend).attend(inputs) }
        #expect(error?.description == "mask: expected a tensor with memory, found a placeholder")
        #expect(backend.plans.load(ordering: .relaxed) == 0)
        let operand = try Tensor.placeholder([2, 2])
        #expect(throws: AttentionError.self) { try operand.floats() }
        #expect(throws: AttentionError.self) { try operand.moved(to: .reference) }
        #expect(throws: AttentionError.self) { try Tensor.placeholder([Int.max, 2]) }
    }

    @Test(arguments: [[0, 4, 5], [2, 0, 5], [2, 4, 0]]) func emptyCallsLaunchNothing(_ sizes: [Int]) throws {
        let backend = FakeBackend()
        let inputs = try smallInputs(
            batch: sizes[0], queryHeads: sizes[1], keyValueHeads: sizes[1] / 2, queryLength: sizes[2])
        let result = try Device.quiet(backend).attend(inputs, .init(scores: .masked, logSumExp: true))
        #expect(result.output.shape == sizes + [6])
        #expect(result.output.count == 0)
        #expect(result.report.kernel == "none")
        #expect(backend.plans.load(ordering: .relaxed) == 0)
    }

    @Test func anEmptyCallStillJoinsKeys() throws {
        let device = Device.quiet(FakeBackend())
        var inputs = try smallInputs(queryLength: 0)
        var random = Numbers(state: 9)
        inputs.pastKey = try random.tensor([2, 2, 3, 8])
        inputs.pastValue = try random.tensor([2, 2, 3, 6])
        let result = try device.attend(inputs)
        #expect(result.presentKey?.shape == [2, 2, 10, 8])
        #expect(try result.presentKey?.sliced(axis: 2, 0..<3).floats() == inputs.pastKey?.floats())
        #expect(try result.presentKey?.sliced(axis: 2, 3..<10).floats() == inputs.key.floats())
        #expect(try result.presentValue?.sliced(axis: 2, 3..<10).floats() == inputs.value.floats())
    }

    @Test func noKeysIsNotEmpty() throws {
        let backend = FakeBackend()
        let result = try Device.quiet(backend).attend(smallInputs(keyLength: 0), .init(logSumExp: true))
        #expect(try result.output.floats().allSatisfy { $0 == 0 })
        #expect(try result.logSumExp?.floats().allSatisfy { $0 == -.infinity } == true)
        #expect(backend.runs.load(ordering: .relaxed) == 1)
    }
}
