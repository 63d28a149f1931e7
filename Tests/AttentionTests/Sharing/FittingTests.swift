import AttentionCore
import AttentionReference
import Synchronization
import Testing

@testable import Attention

/// Calls larger than a device's memory.
@Suite struct FittingTests {
    /// Where these limits cut the calls of ``SharingCallTests``: nowhere, between entries and heads, rows, and keys.
    @Test(arguments: [1 << 20, 700, 250, 100]) func callsAreComputedInPieces(_ bytes: Int) throws {
        var runs = 0
        for (name, inputs, options) in try SharingCallTests.calls() {
            let narrow = NarrowBackend(ReferenceBackend(), allocation: bytes)
            let device = Device.quiet(narrow)
            let expected = try Device.reference.attend(inputs, options)
            let found: AttentionResult
            do throws(AttentionError) {
                found = try device.attend(inputs, options, fallback: .never)
            } catch {
                // Scores are about all keys.
                guard case .outOfMemory = error, options.scores != nil, bytes < 250 else { throw error }
                continue
            }
            for (one, other) in zip(found.outputs.all, expected.outputs.all) {
                for (value, right) in zip(try one.doubles(), try other.doubles()) {
                    #expect(value == right || abs(value - right) < 2e-6, "\(name) within \(bytes)")
                }
            }
            runs += narrow.runs.load(ordering: .relaxed)
        }
        let count = try SharingCallTests.calls().count
        #expect(bytes == 1 << 20 ? runs == count : runs > 2 * count)
    }

    /// Whatever is too large, all of a call is computed once, and the ranges of keys of the same rows follow one another.
    @Test(arguments: [40, 100, 300, 1000, 4000], [Int.max, 1000])
    func piecesAreAllOfACall(_ allocation: Int, _ total: Int) throws {
        for type in [ElementType.float32, .bfloat16] {
            let shape = AttentionShape(batch: 2, queryHeads: 2, queryLength: 9, keyLength: 11, headDimension: 8)
            let inputs = AttentionInputs(
                query: try .placeholder(shape.queryShape, type), key: try .placeholder(shape.keyShape, type),
                value: try .placeholder(shape.valueShape, type),
                mask: .tensor(try .placeholder([2, 1, 9, 11], .float32)))
            let problem = try AttentionProblem(inputs)
            let cutter = PieceCutter(problem: problem, limit: MemoryLimit(allocation: allocation, total: total))
            guard case .pieces(let pieces) = cutter.pieces() else {
                Issue.record("nothing fits into \(allocation) of \(total)")
                continue
            }
            var seen = [Int](repeating: 0, count: 2 * 2 * 9 * 11)
            for piece in pieces {
                #expect(cutter.tooLarge(piece) == nil)
                for b in piece.batch {
                    for h in piece.keyValueHeads {
                        for i in piece.rows { for j in piece.keys { seen[((b * 2 + h) * 9 + i) * 11 + j] += 1 } }
                    }
                }
            }
            #expect(seen.allSatisfy { $0 == 1 })
            var groups = 0
            for (index, piece) in pieces.enumerated() where index == 0 || !piece.sharesResults(with: pieces[index - 1])
            {
                groups += 1
            }
            let different = Set(pieces.map { [$0.batch, $0.keyValueHeads, $0.rows] })
            #expect(groups == different.count)
        }
    }

    @Test func thePlanSaysSo() throws {
        let inputs = try smallInputs(mask: .none)
        let device = Device.quiet(NarrowBackend(ReferenceBackend(), allocation: 500))
        let text = try device.attentionPlan(for: inputs).explain()
        #expect(text.contains("4 pieces by batch entries and key heads, one after another: query has 1280 bytes"))
        #expect(text.contains("reference (Double) has 500 at once"))
        let whole = Device.quiet(NarrowBackend(ReferenceBackend(), allocation: 5000))
        let short = try whole.attentionPlan(for: inputs).explain()
        #expect(!short.contains("pieces"))
    }

    /// All memory together counts as well as each piece of it.
    @Test func allOfACallHasToFit() throws {
        let inputs = try smallInputs()
        let narrow = NarrowBackend(ReferenceBackend(), allocation: 5000, total: 2000)
        let found = try Device.quiet(narrow).attend(inputs, fallback: .never)
        #expect(try found.output.contiguousBytes() == inputs.expected())
        #expect(narrow.runs.load(ordering: .relaxed) > 1)
    }

    /// A small operand in a large storage, or spread over it, is no large call.
    @Test func viewsOfLargeStoragesFit() throws {
        var numbers = Numbers(state: 9)
        let inputs = try smallInputs()
        for isSpread in [false, true] {
            var call = inputs
            let large = try numbers.tensor(isSpread ? [2, 4, 5, 8, 64] : [64, 2, 4, 5, 8])
            let view = try large.sliced(axis: isSpread ? 4 : 0, 3..<4)
            let strides = isSpread ? Array(view.strides.dropLast()) : Array(view.strides.dropFirst())
            call.query = try view.viewed(shape: [2, 4, 5, 8], strides: strides, offset: view.layout.offset)
            let output = try Tensor(zeros: [8, 2, 4, 5, 6], elementType: .float32)
            let target = try output.viewed(shape: [2, 4, 5, 6], strides: [120, 30, 6, 1], offset: 240)
            let narrow = NarrowBackend(ReferenceBackend(), allocation: 3000)
            _ = try Device.quiet(narrow).attend(call, into: target, fallback: .never)
            #expect(narrow.runs.load(ordering: .relaxed) == 1)
            #expect(try target.contiguousBytes() == call.expected())
            #expect(try output.sliced(axis: 0, 0..<1).floats().allSatisfy { $0 == 0 })
        }
    }

    /// Narrow devices in a group cut their own shares once more.
    @Test(arguments: CutAxis.allCases) func narrowDevicesShare(_ axis: CutAxis) throws {
        let group = try Device.sharing(
            [NarrowBackend(FakeBackend(), allocation: 300), NarrowBackend(ReferenceBackend(), allocation: 4000)],
            .forced(axis))
        let inputs = try smallInputs()
        let found = try group.attend(inputs, fallback: .never).output.floats()
        for (one, other) in zip(found, try Device.reference.attend(inputs).output.floats()) {
            #expect(abs(one - other) < 2e-6)
        }
    }

    @Test(arguments: [ElementType.float16, .bfloat16]) func smallTypesAreRoundedOnce(_ type: ElementType) throws {
        var inputs = try smallInputs(
            batch: 1, queryHeads: 1, keyValueHeads: 1, queryLength: 3, keyLength: 64, mask: .none)
        inputs.query = try Tensor(inputs.query.doubles(), shape: inputs.query.shape, elementType: type)
        inputs.key = try Tensor(inputs.key.doubles(), shape: inputs.key.shape, elementType: type)
        let narrow = NarrowBackend(ReferenceBackend(), allocation: 600)
        let found = try Device.quiet(narrow).attend(inputs, fallback: .never)
        #expect(narrow.runs.load(ordering: .relaxed) > 2)
        #expect(try found.output.contiguousBytes() == inputs.expected())
    }

    @Test func whatCannotBeCutFallsBack() throws {
        let inputs = try smallInputs()
        let narrow = Device.quiet(NarrowBackend(FakeBackend(), allocation: 10))
        let result = try narrow.attend(inputs, .init(scores: .masked))
        #expect(result.device.kind == .reference)
        let error = #expect(throws: AttentionError.self) { try narrow.attend(inputs, fallback: .never) }
        guard case .outOfMemory? = error else {
            Issue.record("\(String(describing: error)) is no outOfMemory")
            return
        }
    }
}
