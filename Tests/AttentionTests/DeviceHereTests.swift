import Testing

@testable import Attention

/// The devices of the machine that runs the tests, if it has any.
@Suite struct DeviceHereTests {
    static let usable = DeviceListing.current().candidates.filter { $0.unsuitableReason == nil }
        .map(\.description.selector)

    /// Those with wide vectors, the native path among them.
    static let wide = DeviceListing.current().candidates.filter { $0.unsuitableReason == nil && $0.family == "wide" }
        .map(\.description.selector)

    private func device(_ selector: String) throws -> Device {
        var device = try Device.select(DevicePreference(selector))
        device.logger.logLevel = .critical
        return device
    }

    @Test func theListingNamesWhatAutomaticTakes() throws {
        let listing = DeviceListing.current()
        let device = try Device.select()
        #expect(listing.chosen == device.description.selector)
        #expect(listing.reason == device.reason)
        print("automatic takes \(listing.chosen): \(listing.reason)")
    }

    /// A plan for whole lengths takes shorter ones and other strides, and gives the bits of a call that was not planned.
    @Test(arguments: usable) func plansAndCallsGiveTheSameBits(_ selector: String) throws {
        let device = try device(selector)
        let shape = AttentionShape(
            batch: 2, queryHeads: 4, keyValueHeads: 2, queryLength: 5, keyLength: 7, headDimension: 8, valueDimension: 6
        )
        let plan = try device.attentionPlan(shape, mask: .causal)
        print(plan.explain())
        var inputs = try smallInputs()
        inputs.keyLengths = [3, 7]
        inputs.query = try Numbers.transposedCopy(inputs.query)
        let planned = try plan.attend(inputs, fallback: .never)
        let called = try device.attend(inputs, fallback: .never)
        #expect(try planned.output.contiguousBytes() == called.output.contiguousBytes())
        let expected = try Device.reference.attend(inputs).output.doubles()
        for (value, right) in zip(try called.output.doubles(), expected) { #expect(abs(value - right) < 1e-5) }

        var far = inputs
        far.query = try inputs.query.moved(to: device)
        far.key = try inputs.key.moved(to: device)
        far.value = try inputs.value.moved(to: device)
        let output = try plan.attend(far, fallback: .never).output
        #expect(try output.contiguousBytes() == called.output.contiguousBytes())
        if ![.reference, .native].contains(device.description.kind) {
            #expect(output.storage.place == device.description.name)
        }
    }

    /// A past of length 0 makes present keys and values, also after a call of the same sizes that had none.
    @Test(arguments: wide) func anEmptyPastIsAPast(_ selector: String) throws {
        let device = try device(selector)
        var inputs = try smallInputs()
        _ = try device.attend(inputs, fallback: .never)
        inputs.pastKey = try Tensor(zeros: [2, 2, 0, 8], elementType: .float32)
        inputs.pastValue = try Tensor(zeros: [2, 2, 0, 6], elementType: .float32)
        let found = try device.attend(inputs, fallback: .never)
        #expect(try found.presentKey?.contiguousBytes() == inputs.key.contiguousBytes())
        #expect(try found.presentValue?.contiguousBytes() == inputs.value.contiguousBytes())
        let right = try Device.reference.attend(inputs).output.floats()
        for (value, expected) in zip(try found.output.floats(), right) { #expect(abs(value - expected) < 1e-5) }
    }

    @Test(.timeLimit(.minutes(10)), arguments: usable) func tasksGetTheSameBits(_ selector: String) async throws {
        let device = try device(selector)
        // Where a call takes long, fewer show as much.
        let calls = Self.wide.contains(selector) ? 1_000 : 200
        let inputs = try smallInputs()
        let expected = try await device.attend(inputs, fallback: .never).output.contiguousBytes()
        let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var wrong = 0
                    for _ in 0..<calls {
                        let result = try await device.attend(inputs, fallback: .never)
                        if try result.output.contiguousBytes() != expected { wrong += 1 }
                    }
                    return wrong
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}
