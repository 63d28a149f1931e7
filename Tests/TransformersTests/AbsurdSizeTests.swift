import Attention
import Testing

@testable import Transformers

/// Sizes that no memory holds, which tensors without elements may claim: errors, and no traps.
@Suite struct AbsurdSizeTests {
    /// Without elements, so that it takes no memory.
    private func empty(_ shape: [Int]) throws -> Tensor { try Tensor(uninitialized: shape) }

    private func operand(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch AttentionError.invalid(let invalid) { return invalid.operand } catch AttentionError.outOfMemory {
            return "memory"
        } catch { return "\(error)" }
    }

    @Test(arguments: [1 << 48, 1 << 62]) func additiveAttention(batch: Int) throws {
        let found = operand {
            _ = try AdditiveAttentionOperation(
                query: try empty([batch, 0, 4]), key: try empty([batch, 0, 4]), value: try empty([batch, 0, 4]),
                weight: try numbers([4], 1, on: .reference), output: try empty([batch, 0, 4]))
        }
        #expect(found == (batch == 1 << 48 ? "memory" : "query"))
    }

    @Test func masks() throws {
        func selection(_ mask: MultiHeadMask, _ batch: Int, _ queries: Int, _ keys: Int) -> String? {
            operand {
                let sizes = MaskSizes(batch: batch, heads: 8, queries: queries, keys: keys)
                _ = try mask.selection(sizes, .reference)
            }
        }
        let pairs = MultiHeadMask(attention: try empty([3, 0, 4]))
        #expect(selection(pairs, 1 << 61, 0, 4) == "attention")
        #expect(selection(MultiHeadMask(keyLengths: [1]), 1, 1, 1 << 48) == "memory")
        #expect(selection(MultiHeadMask(keyLengths: [1, 1]), 2, 1, 1 << 62) == "keyLengths")
        // A causal mask that becomes a tensor, as padding goes with it.
        let both = MultiHeadMask(isCausal: true, keyLengths: [2])
        #expect(selection(both, 1, 1 << 46, 2) == "memory")
    }

    @Test func rotaryPositions() throws {
        let positions = try RotaryPositions(positions: 4, dimension: 2, device: .reference)
        let layer = try MultiHeadAttention(
            Parameters(RandomParameters()), .init(modelDimension: 4, heads: 2), rotary: positions, device: .reference)
        for batch in [1 << 48, 1 << 62] {
            let rows = try empty([batch, 0, 4])
            #expect(operand { _ = try layer(rows) } == (batch == 1 << 48 ? "memory" : "query"))
            #expect(operand { _ = try layer(rows, key: rows) } == (batch == 1 << 48 ? "memory" : "key"))
        }
    }

    @Test func averagedWeightsOfNothing() throws {
        let layer = try MultiHeadAttention(
            Parameters(RandomParameters()), .init(modelDimension: 4, heads: 2), device: .native())
        #expect(try layer.attending(try empty([0, 1 << 20, 4])).weights.shape == [0, 1 << 20, 1 << 20])
    }

    @Test(arguments: [-1, 1 << 17, .max]) func layerCounts(count: Int) throws {
        var configuration = Transformer.Configuration(sourceVocabulary: 3, targetVocabulary: 3)
        configuration.layer.modelDimension = 8
        for name in ["encoderLayers", "decoderLayers"] {
            var wrong = configuration
            if name == "encoderLayers" { wrong.encoderLayers = count } else { wrong.decoderLayers = count }
            let found = operand {
                _ = try Transformer(Parameters(RandomParameters()), wrong, device: .reference)
            }
            #expect(found == name)
        }
        #expect(Encoder.shapes(configuration.layer, count: min(count, 2)).count == (count < 0 ? 0 : 24))
        let huge = MultiHeadAttention.Configuration(modelDimension: .max, heads: 1, keyValueHeads: .max)
        #expect(huge.shapes.count == 4)
        #expect(operand { try huge.check() } == "modelDimension")
    }
}
