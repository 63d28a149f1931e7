import Foundation
import Testing

@testable import Attention

/// The join of results that each had a part of the keys.
@Suite struct KeyJoinTests {
    /// One row of one head.
    private func part(_ values: [Float], _ logSumExp: Float) throws -> AttentionOutputs {
        AttentionOutputs(
            output: try Tensor(values, shape: [1, 1, 1, values.count]),
            logSumExp: try Tensor([logSumExp], shape: [1, 1, 1]))
    }

    private func joined(
        _ parts: [([Float], Float)], sink: Double? = nil, _ type: ElementType = .float32
    ) throws -> (output: [Double], logSumExp: Double) {
        let columns = parts[0].0.count
        let target = AttentionOutputs(
            output: try Tensor(zeros: [1, 1, 1, columns], elementType: type),
            logSumExp: try Tensor(zeros: [1, 1, 1], elementType: .float32))
        try KeyJoin(try parts.map { try part($0.0, $0.1) }, sinks: sink.map { [$0] } ?? []).write(to: target)
        return (try target.output.doubles(), try target.logSumExp?.doubles().first ?? .nan)
    }

    @Test func weighsPartsByTheirSums() throws {
        // 3 keys of score 0 against 1: weights 3/4 and 1/4.
        let (output, sum) = try joined([([4, 8], Float(log(3.0))), ([0, 4], 0)])
        #expect(abs(output[0] - 3) < 1e-6)
        #expect(abs(output[1] - 7) < 1e-6)
        #expect(abs(sum - log(4)) < 1e-6)
    }

    @Test func nothingIsTheIdentity() throws {
        let alone = try joined([([0.1, -7], 2.5)])
        let (part, nothing): (([Float], Float), ([Float], Float)) = (([0.1, -7], 2.5), ([0, 0], -.infinity))
        for parts in [[nothing, part], [part, nothing]] {
            let found = try joined(parts)
            #expect(found.output == alone.output)
            #expect(found.logSumExp == alone.logSumExp)
        }
        #expect(alone.output == [Double(Float(0.1)), -7])
    }

    @Test func aRowWithoutKeysIsZero() throws {
        let (output, sum) = try joined([([0, 0], -.infinity), ([0, 0], -.infinity)])
        #expect(output == [0, 0])
        #expect(sum == -.infinity)
    }

    /// A sink takes part in the denominator, once, and is all there is without keys.
    @Test func aSinkCountsOnce() throws {
        let (output, sum) = try joined([([3], 0), ([3], 0)], sink: 0)
        #expect(abs(output[0] - 2) < 1e-6)
        #expect(abs(sum - log(3)) < 1e-6)
        let empty = try joined([([0], -.infinity), ([0], -.infinity)], sink: 1.5)
        #expect(empty.output == [0])
        #expect(empty.logSumExp == 1.5)
        let none = try joined([([3], 0), ([3], 0)], sink: -.infinity)
        #expect(none.output == [3])
    }

    /// The value of the key ahead stands as it is; NaN of an attended value stays however small its weight.
    @Test func aLeadIsExactAndNaNStays() throws {
        let ahead = try joined([([0.3, 0], 120), ([1e30, 5], 0)])
        #expect(ahead.output == [Double(Float(0.3)), 0])
        #expect(ahead.logSumExp == 120)
        // Many keys, each 111 behind, are 100 behind together.
        #expect(try joined([([0.3, 0], 120), ([1e30, 1e30], 20)]).output == ahead.output)
        let broken = try joined([([0.3, 1], 120), ([.nan, 5], 0)])
        #expect(broken.output[0].isNaN)
        #expect(broken.output[1] == 1)
        let infinite = try joined([([0.3, 1], 0), ([.infinity, 5], 0)])
        #expect(infinite.output[0] == .infinity)
        // A score of +∞ or NaN: the row is lost.
        for sum in [Float.nan, .infinity] {
            let lost = try joined([([1, 1], 0), ([2, 2], sum)])
            #expect(lost.output.allSatisfy { $0.isNaN })
            #expect(lost.logSumExp.isNaN)
        }
    }

    /// Partial results keep their `float32`: 16-bit results are rounded once.
    @Test func roundsOnce() throws {
        // Halfway between two f16 numbers but for the last bits of f32.
        let (low, high) = (Float(1 + 0x1p-11 + 0x1p-20), Float(1 + 0x1p-11 - 0x1p-19))
        let (output, _) = try joined([([low], 0), ([high], 0)], .float16)
        #expect(output == [1])
    }

    @Test func hugeAndTinySumsDoNotOverflow() throws {
        for sum in [Float(1000), -1000] {
            let (output, total) = try joined([([1], sum), ([3], sum)])
            #expect(abs(output[0] - 2) < 1e-6)
            #expect(abs(total - (Double(sum) + log(2))) < 1e-3)
        }
    }
}
