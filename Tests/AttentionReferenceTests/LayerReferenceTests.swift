import AttentionCore
import AttentionReference
import Testing

/// The definitions of the layers' steps against numbers that a reader can check by hand.
@Suite struct LayerReferenceTests {
    private func tensor(_ values: [Float], _ shape: [Int]) throws -> Tensor { try Tensor(values, shape: shape) }
    private func empty(_ shape: [Int], _ type: ElementType = .float32) throws -> Tensor {
        let tensor = try Tensor(uninitialized: shape, type)
        if type == .float32 { try tensor.write([Double](repeating: .nan, count: tensor.count)) }
        return tensor
    }

    private func performed(_ operation: LayerOperation, _ output: Tensor) throws -> [Float] {
        try ReferenceBackend().perform(operation, RunControl())
        return try output.floats()
    }

    @Test(arguments: [[1 << 61, 4, 0], [0, 1 << 61, 4, 2], [1 << 61, 0, 3], [0, 5], [3, 0], [0]])
    func matricesWithoutElements(shape: [Int]) throws {
        let empty = try Tensor(uninitialized: shape)
        do {
            let matrix = try Matrix(empty, "input")
            #expect(matrix.rows * matrix.columns == 0)
        } catch AttentionError.invalid(let refusal) {
            // More rows than can be counted, of no width.
            #expect(refusal.operand == "input" && shape.last == 0)
        }
    }

    @Test func linearAddsBiasAppliesTheActivationAndThenTheResidual() throws {
        let output = try empty([2, 2])
        let step = try LinearOperation(
            input: tensor([1, 2, 3, 4], [2, 2]), weight: PlainWeight(tensor([1, 0, 1, -1], [2, 2])),
            bias: tensor([0.5, -1], [2]), activation: .relu, residual: tensor([10, 20, 30, 40], [2, 2]), output: output)
        // x·W: [1, −1], [3, −1]; with bias [1.5, −2], [3.5, −2]; ReLU [1.5, 0], [3.5, 0].
        #expect(try performed(.linear(step), output) == [11.5, 20, 33.5, 40])
    }

    @Test(arguments: [
        (Activation.none, 1.0, 1.0), (.relu, -1, 0), (.gelu, 1, 0.841344746068543), (.gelu, -1, -0.158655253931457),
        (.geluTanh, 1, 0.841191990607477), (.silu, 1, 0.731058578630005), (.gelu, -.infinity, 0),
        (.silu, -.infinity, 0),
        (.gelu, .infinity, .infinity),
    ]) func activations(_ activation: Activation, _ x: Double, _ expected: Double) {
        let found = activation.value(x)
        #expect(found == expected || abs(found - expected) < 1e-12)
    }

    @Test func layerNormHasMeanZeroAndVarianceOneOfTheSum() throws {
        let (output, sum) = (try empty([1, 4]), try empty([1, 4]))
        let step = try NormalizationOperation(
            input: tensor([1, 1, 1, 1], [1, 4]), residual: tensor([0, 1, 2, 3], [1, 4]), epsilon: 0, sum: sum,
            output: output)
        let found = try performed(.normalization(step), output)
        #expect(try sum.floats() == [1, 2, 3, 4])
        let expected: [Float] = [-1.3416408, -0.4472136, 0.4472136, 1.3416408]
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test func rootMeanSquareNormKeepsTheMean() throws {
        let output = try empty([1, 2])
        let step = try NormalizationOperation(
            .rms, input: tensor([3, 4], [1, 2]), weight: tensor([1, 2], [2]), epsilon: 0, output: output)
        let found = try performed(.normalization(step), output)
        #expect(abs(found[0] - 3 / 3.5355339) < 1e-6 && abs(found[1] - 8 / 3.5355339) < 1e-6)
    }

    @Test func embeddingScalesAndAdds() throws {
        let output = try empty([2, 2])
        let step = try EmbeddingOperation(
            [
                .init(table: tensor([1, 2, 3, 4], [2, 2]), indices: [1, 0], scale: 2),
                .init(table: tensor([10, 20], [1, 2]), indices: [0, 0]),
            ], output: output)
        #expect(try performed(.embedding(step), output) == [16, 28, 12, 24])
    }

    @Test func additiveAttentionWeighsByScoresOfRealKeys() throws {
        let (output, probabilities) = (try empty([1, 1, 1]), try empty([1, 1, 3]))
        // Two keys with equal scores; the third is padding and NaN.
        let step = try AdditiveAttentionOperation(
            query: tensor([0], [1, 1, 1]), key: tensor([1, 1, .nan], [1, 3, 1]),
            value: tensor([2, 4, .nan], [1, 3, 1]),
            weight: tensor([1], [1]), keyLengths: [2], output: output, probabilities: probabilities)
        #expect(try performed(.additiveAttention(step), output) == [3])
        #expect(try probabilities.floats() == [0.5, 0.5, 0])
    }

    @Test(arguments: RotaryPairs.all) func rotaryTurnsPairs(_ pairs: RotaryPairs) throws {
        let output = try empty([1, 1, 1, 5])
        let step = try RotaryOperation(
            input: tensor([1, 2, 3, 4, 5], [1, 1, 1, 5]), cosines: tensor([9, 9, 0, 1], [2, 2]),
            sines: tensor([9, 9, 1, 0], [2, 2]), starts: [1], pairing: pairs.pairing, output: output)
        #expect(try performed(.rotary(step), output) == pairs.expected)
    }

    struct RotaryPairs: Sendable {
        let pairing: RotaryOperation.Pairing
        let expected: [Float]
        static let all = [
            RotaryPairs(pairing: .halves, expected: [-3, 2, 1, 4, 5]),
            RotaryPairs(pairing: .interleaved, expected: [-2, 1, 3, 4, 5]),
        ]
    }

    @Test func selectionPrefersTheLowerIndexAndPutsNaNLast() throws {
        let (indices, values) = (try empty([2, 3], .int32), try empty([2, 3]))
        let step = try SelectionOperation(
            logits: tensor([1, 3, 3, 0, -.infinity, .nan, 1, 2], [2, 4]), count: 3, indices: indices, values: values)
        let found = try performed(.selection(step), values)
        #expect(try indices.doubles() == [1, 2, 0, 3, 2, 0])
        #expect(abs(Double(found[0]) + 0.78167) < 1e-4 && found[0] == found[1] && found[3].isNaN)
    }

    @Test(arguments: [
        (PoolingOperation.Kind.mean, [2, 3] as [Float]), (.cls, [1, 4]), (.max, [3, 4]),
    ]) func poolingOfOneSequence(_ kind: PoolingOperation.Kind, _ expected: [Float]) throws {
        let output = try empty([2, 2])
        let step = try PoolingOperation(
            kind, input: tensor([1, 4, 3, 2], [2, 2]), offsets: [0, 2, 2], output: output)
        #expect(try performed(.pooling(step), output) == expected + [0, 0])
    }

    @Test func copyGathersTheFirstDimension() throws {
        let output = try empty([3, 1])
        let step = try CopyOperation(source: tensor([5, 6], [2, 1]), entries: [1, 0, 1], target: output)
        #expect(try performed(.copy(step), output) == [6, 5, 6])
        try ReferenceBackend().perform(.copy(CopyOperation(source: nil, target: output)), RunControl())
        #expect(try output.floats() == [0, 0, 0])
    }

    @Test func boundsPassWhatIsRoundedAndCatchWhatIsWrong() throws {
        let output = try empty([1, 2])
        let step = LayerOperation.linear(
            try LinearOperation(
                input: tensor([1, 2, 3], [1, 3]), weight: PlainWeight(tensor([1, 1, 1, 1, -1, 1], [2, 3])),
                output: output))
        let results = try LayerReference.evaluate(step)
        try output.write([6, 2])
        #expect(try LayerReference.findings(results).isEmpty)
        try output.write([6, 2.00001])
        #expect(try LayerReference.findings(results).map(\.gate) == ["layer"])
        try output.write([6, .nan])
        #expect(try LayerReference.findings(results).map(\.gate) == ["G0"])
    }
}
