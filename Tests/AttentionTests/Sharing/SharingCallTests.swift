import AttentionCore
import AttentionReference
import Foundation
import Testing

@testable import Attention

/// Calls that several devices share.
@Suite struct SharingCallTests {
    private func fakes(_ count: Int) -> [FakeBackend] {
        (0..<count).map { FakeBackend(.fake("opencl:\($0).0", "Fake \($0)")) }
    }

    /// What needs care in a part: grouped heads, three ranks of mask, lengths, past keys, packed sequences, ALiBi, sinks, blocks.
    static func calls() throws -> [(name: String, inputs: AttentionInputs, options: AttentionOptions)] {
        var calls: [(String, AttentionInputs, AttentionOptions)] = []
        let plain = try smallInputs(mask: .none)
        calls.append(("plain", plain, .init(logSumExp: true)))
        calls.append(("causal", try smallInputs(), .init()))
        var window = try smallInputs(queryLength: 6, keyLength: 9, mask: [.causal(alignment: .bottomRight)])
        window.mask.windowLeft = 2
        window.alibiSlopes = [0.5, 0.25, -0.125, 1]
        window.sinks = [0.3, -.infinity, 2, -1]
        calls.append(("window, ALiBi, sinks", window, .init(scale: 0.4, softcap: 3, logSumExp: true)))
        var lengths = try smallInputs()
        lengths.keyLengths = [3, 0]
        calls.append(("lengths", lengths, .init(logSumExp: true)))
        var numbers = Numbers(state: 4)
        for shape in [[2, 4, 5, 7], [1, 1, 5, 4], [4, 1, 1], [7], []] {
            var masked = plain
            masked.mask = .tensor(try numbers.tensor(shape))
            calls.append(("mask \(shape)", masked, .init(logSumExp: true)))
        }
        var past = try smallInputs(queryLength: 3, keyLength: 4)
        past.pastKey = try numbers.tensor([2, 2, 5, 8])
        past.pastValue = try numbers.tensor([2, 2, 5, 6])
        calls.append(("past", past, .init()))
        var packed = try smallInputs(batch: 1, queryLength: 9, keyLength: 12)
        packed.cumulativeQueryOffsets = [0, 4, 4, 9]
        packed.cumulativeKeyOffsets = [0, 5, 6, 12]
        packed.keyLengths = [4, 1, 6]
        calls.append(("packed", packed, .init(logSumExp: true)))
        var blocks = try smallInputs(queryLength: 2, keyLength: 4)
        blocks.key = try numbers.tensor([5, 2, 4, 8])
        blocks.value = try numbers.tensor([5, 2, 4, 6])
        blocks.blockTable = BlockTable([[3, 0, 4], [1, 2]])
        blocks.keyLengths = [9, 6]
        calls.append(("blocks", blocks, .init()))
        for mode in ScoreOutput.allCases { calls.append(("scores \(mode)", lengths, .init(scores: mode))) }
        return calls
    }

    /// Cuts that leave the keys together give the bits of one device; ranges of keys give the same number.
    @Test(arguments: CutAxis.allCases, [2, 3]) func allCutsAreRight(_ axis: CutAxis, _ count: Int) throws {
        for (name, inputs, options) in try Self.calls() {
            let expected = try Device.reference.attend(inputs, options)
            let group = try Device.sharing(fakes(count), .forced(axis))
            let found = try group.attend(inputs, options, fallback: .never)
            #expect(found.device.kind == .group)
            for (one, other) in zip(found.outputs.all, expected.outputs.all) {
                #expect(one.shape == other.shape, "\(name)")
                if axis == .keys {
                    for (value, right) in zip(try one.doubles(), try other.doubles()) {
                        #expect(value == right || abs(value - right) < 2e-6, "\(name) by \(axis): \(value), \(right)")
                    }
                } else {
                    #expect(try one.contiguousBytes() == other.contiguousBytes(), "\(name) by \(axis)")
                }
            }
        }
    }

    /// Two devices compute at once: each waits until the other has begun.
    @Test(.timeLimit(.minutes(1))) func sharesAreComputedAtOnce() throws {
        let backends = fakes(2)
        let group = try Device.sharing(backends, .forced(.heads))
        let result = try group.attend(try smallInputs(), fallback: .never)
        #expect(backends.map { $0.runs.load(ordering: .relaxed) } == [1, 1])
        #expect(result.report.kernel == "fake_kernel")
        #expect(result.report.build == .compiled)
        #expect(result.report.scratchBytes == 2 * 4096)
        let control = RunControl()
        let waiting = [
            FakeBackend(.fake("opencl:0.0", "A"), waitsForCancellation: true),
            FakeBackend(.fake("opencl:1.0", "B"), waitsForCancellation: true),
        ]
        let stuck = try Device.sharing(waiting, .forced(.heads))
        #expect(
            OwnThread.run {
                while waiting.contains(where: { $0.waiting.load(ordering: .relaxed) == 0 }) { usleep(500) }
                control.cancel()
            })
        let inputs = try smallInputs()
        #expect(throws: AttentionError.cancelled) { try stuck.attend(inputs, control: control) }
    }

    @Test func sharesFollowMeasuredTimes() throws {
        let backends = fakes(2)
        let clocks = DeviceClocks([.seconds(1), .seconds(3)])
        let group = try Device.sharing(backends, .best, clock: clocks.clock)
        let inputs = try smallInputs(queryHeads: 8, keyValueHeads: 8)
        let plan = try group.attentionPlan(for: inputs)
        let text = plan.explain()
        #expect(text.contains("divided by heads among 2 devices: shares follow the measured speeds"))
        #expect(text.contains("Fake 0: key heads 0..<6, 75 % of the work"))
        #expect(text.contains("Fake 1: key heads 6..<8, 25 % of the work"))
        #expect(text.contains("opencl:0.0+opencl:1.0, Fake 0 + Fake 1 (Fake Platform), group"))
        // A warm-up and the measurement.
        #expect(backends.map { $0.runs.load(ordering: .relaxed) } == [2, 2])
        // A plan keeps its shares, whatever the calls measure; another kind of call begins anew.
        #expect(try plan.attend(inputs).output.contiguousBytes() == inputs.expected())
        #expect(try group.attentionPlan(for: inputs).explanation == plan.explanation)
        #expect(backends.map { $0.runs.load(ordering: .relaxed) } == [3, 3])
    }

    @Test func newPlansUseWhatCallsMeasured() throws {
        let table = SpeedTable()
        let kind = SpeedTable.Kind(try AttentionProblem(smallInputs()))
        #expect(table.speed(0, kind) == nil)
        table.record(0, kind, work: 100, .seconds(1))
        #expect(table.speed(0, kind) == 100)
        // A quarter of the way, in time: 0.75 / 100 + 0.25 / 25.
        table.record(0, kind, work: 100, .seconds(4))
        #expect(abs((table.speed(0, kind) ?? 0) - 1 / 0.0175) < 1e-9)
        #expect(table.speed(1, kind) == nil)
    }

    @Test func groupsAreMadeOfDevices() throws {
        #expect(throws: AttentionError.self) { try Device.group([]) }
        let single = try Device.group([.quiet(FakeBackend())])
        #expect(single.description.kind == .gpu)
        let inner = try Device.group([.reference, .native()])
        let outer = try Device.group([inner, .quiet(FakeBackend())])
        #expect(outer.description.selector == "reference+native+opencl:0.0")
        #expect((outer.backend as? SharingBackend)?.members.count == 3)
        // Memory of a group is the host's.
        let tensor = try Tensor([1, 2] as [Float], shape: [2])
        #expect(try tensor.moved(to: outer).storage === tensor.storage)
        #expect(try outer.tensor(tensor).storage.hostBytes != nil)
    }

    /// Operands in one device's memory are of use to all.
    @Test(arguments: CutAxis.allCases) func operandsMayLieOnADevice(_ axis: CutAxis) throws {
        let backends = fakes(2)
        let group = try Device.sharing(backends, .forced(axis))
        let inputs = try smallInputs()
        var far = inputs
        far.query = try inputs.query.moved(to: .quiet(backends[0]))
        far.key = try inputs.key.moved(to: .quiet(backends[1]))
        let output = try Tensor(zeros: [2, 4, 5, 6], elementType: .float32).moved(to: .quiet(backends[1]))
        let found = try group.attend(far, into: output, fallback: .never)
        #expect(found.output.storage === output.storage)
        for (one, other) in zip(try found.output.floats(), try Device.reference.attend(inputs).output.floats()) {
            #expect(abs(one - other) < 1e-6)
        }
    }
}
