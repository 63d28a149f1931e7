import Attention
import Foundation
import TensorFiles
import Testing

@testable import Transformers

@Suite struct BERTModelTests {
    static func configuration(_ folder: TemporaryFolder) throws -> BERTConfiguration {
        try folder.write(
            """
            {"model_type": "bert", "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
             "intermediate_size": 40, "hidden_act": "gelu", "max_position_embeddings": 12, "vocab_size": 30}
            """, as: "config.json")
        return try withExtendedLifetime(folder) { try BERTConfiguration(folder: folder.folder) }
    }

    static func model(_ device: Device, weightType: ElementType? = nil) throws -> BERTModel {
        try BERTModel(
            Parameters(RandomParameters(seed: 91, spread: 0.1)), configuration(TemporaryFolder()),
            weightType: weightType, device: device)
    }

    static let sequences = [[1, 2, 3, 4], [5], [29, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7], [], [3, 2]]

    /// Rows of a packed batch are those of each sequence alone.
    @Test(arguments: Devices.all) func packedEqualsAlone(device: Device) throws {
        let model = try Self.model(device)
        let (rows, offsets) = try model(Self.sequences)
        #expect(offsets == [0, 4, 5, 17, 17, 19])
        #expect(rows.shape == [19, 24])
        for (index, sequence) in Self.sequences.enumerated() {
            try expectClose(
                try rows.sliced(axis: 0, offsets[index]..<offsets[index + 1]), try model([sequence]).rows, 5e-6,
                "sequence \(index)")
        }
    }

    @Test(arguments: Devices.all, [ElementType.float16, .bfloat16])
    func smallWeights(device: Device, type: ElementType) throws {
        let full = try Self.model(device)(Self.sequences).rows
        let small = try Self.model(device, weightType: type)(Self.sequences).rows
        try expectClose(small, full, type == .float16 ? 5e-3 : 4e-2, "\(type)")
        #expect(try small.doubles() != full.doubles())
    }

    @Test(arguments: Devices.all) func segmentsAndWeights(device: Device) throws {
        let model = try Self.model(device)
        let plain = try model([[1, 2, 3]]).rows
        try expectClose(try model([[1, 2, 3]], tokenTypes: [[0, 0, 0]]).rows, plain, 0, "segment 0")
        #expect(try model([[1, 2, 3]], tokenTypes: [[0, 1, 1]]).rows.doubles() != plain.doubles())
        let maps = try model.attention([1, 2, 3, 4, 5])
        #expect(maps.map(\.layer) == [0, 1] && maps.allSatisfy { $0.part == .encoder })
        #expect(maps.allSatisfy { $0.weights.shape == [1, 4, 5, 5] })
        let sums = try maps[1].weights.doubles()
        for row in 0..<20 { #expect(abs(sums[row * 5..<row * 5 + 5].reduce(0, +) - 1) < 1e-5) }
    }

    @Test func badTokens() throws {
        let model = try Self.model(.reference)
        for tokens in [[30], [-1], [Int](repeating: 1, count: 13), [Int.max]] {
            #expect(throws: AttentionError.self) { _ = try model([tokens]) }
        }
        #expect(throws: AttentionError.self) { _ = try model([[1, 2]], tokenTypes: [[0]]) }
        #expect(throws: AttentionError.self) { _ = try model([[1, 2]], tokenTypes: [[0, 2]]) }
    }

    /// Hugging Face's names under those of nn.Transformer.
    @Test func names() throws {
        let base = RandomParameters(seed: 5, spread: 1)
        let source = BERTParameters(source: base)
        let joined = try source.tensor("layers.1.self_attn.in_proj_weight", shape: [12, 4]).doubles()
        let parts = try ["query", "key", "value"].flatMap {
            try base.tensor("encoder.layer.1.attention.self.\($0).weight", shape: [4, 4]).doubles()
        }
        #expect(joined == parts)
        for (name, stored) in [
            ("self_attn.out_proj.bias", "attention.output.dense.bias"), ("linear1.bias", "intermediate.dense.bias"),
            ("norm1.weight", "attention.output.LayerNorm.weight"), ("norm2.bias", "output.LayerNorm.bias"),
            ("linear2.weight", "output.dense.weight"),
        ] {
            let expected = try base.tensor("encoder.layer.0.\(stored)", shape: [4]).doubles()
            #expect(try source.tensor("layers.0.\(name)", shape: [4]).doubles() == expected, "\(name)")
        }
    }

    @Test func batchesByLength() {
        let lengths = [3, 9, 1, 4, 4, 20, 2]
        let batches = SentenceEncoder.batches(lengths, tokensAtOnce: 10)
        #expect(batches == [[5], [1], [3, 4], [0, 6, 2]])
        #expect(SentenceEncoder.batches([], tokensAtOnce: 10).isEmpty)
        #expect(SentenceEncoder.batches([1, 1], tokensAtOnce: 0) == [[0], [1]])
    }

    @Test func similarity() {
        let found = SentenceEncoder.similarity([[1, 0], [3, 4], [0, 0]])
        #expect(found == [[1, 0.6, 0], [0.6, 1, 0], [0, 0, 0]])
    }
}

/// all-MiniLM-L6-v2 against embeddings that PyTorch computed in Double.
@Suite struct SentenceEncoderTests {
    static let examples = "\(Shared.path)/conformance/embeddings/minilm.json"
    static let model: String? = {
        let environment = ProcessInfo.processInfo.environment["ATTEND_MODEL"] ?? ""
        let here = environment.isEmpty ? "\(Shared.package)/.build/model" : environment
        return FileManager.default.fileExists(atPath: "\(here)/model.safetensors") ? here : nil
    }()

    @Test(
        .enabled(if: model != nil && FileManager.default.fileExists(atPath: examples), "no model, or no ../shared"),
        arguments: Devices.all.filter { $0.description.kind != .reference })
    func embeddings(device: Device) throws {
        let folder = try ModelFolder(path: try #require(Self.model))
        let data = try #require(FileManager.default.contents(atPath: Self.examples))
        let items = try JSONReader(JSONParser.parse(Array(data), file: "minilm.json"), file: "minilm.json").array
        let texts = try items.map { try $0.member("text").string }
        let wanted = try items.map { try $0.member("embedding").array.map { try $0.double } }
        let encoder = try SentenceEncoder(folder: folder, device: device)
        var done: [Int] = []
        let found = try encoder.embeddings(texts, progress: { done.append($0) })
        #expect(done.last == texts.count && done == done.sorted())
        var worst = 0.0
        for (index, item) in items.enumerated() {
            #expect(found[index].tokens == (try item.member("token_ids").array.map { try $0.integer(in: 0...1 << 30) }))
            for (a, b) in zip(found[index].vector, wanted[index]) { worst = max(worst, abs(Double(a) - b)) }
        }
        print("largest error of \(texts.count) embeddings on \(device.description.name): \(worst)")
        #expect(worst <= 2e-6)
        for type in [ElementType.float16, .bfloat16] {
            let small = try SentenceEncoder(folder: folder, weightType: type, device: device).embeddings(texts)
            let cosines = zip(small, found).map { SentenceEncoder.similarity([$0.vector, $1.vector])[0][1] }
            print("least cosine in \(type): \(cosines.min() ?? 0)")
            #expect(cosines.allSatisfy { $0 >= 0.9999 })
        }
    }
}

/// What a device gives against the definition.
@Suite struct EmbeddingCheckTests {
    private static let texts = ["a b", "a", "b c a d", "c", "d d d"]

    /// A sentence-transformers folder of a small model.
    private static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            {"model_type": "bert", "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
             "intermediate_size": 40, "hidden_act": "gelu", "max_position_embeddings": 12, "vocab_size": 9}
            """, as: "config.json")
        try folder.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd", as: "vocab.txt")
        let parameters = RandomParameters(seed: 17, spread: 0.1)
        let tensors = try BERTConfiguration(folder: folder.folder).tensors.map { expected in
            let tensor = try parameters.tensor(expected.name, shape: expected.shape)
            return TensorFileTensor(
                name: expected.name, elementType: .float32, shape: expected.shape, bytes: try tensor.contiguousBytes())
        }
        try folder.write(tensors, as: "model.safetensors")
        return folder
    }

    @Test(arguments: Devices.all, [nil, ElementType.float32, .float16, .bfloat16])
    func rightDevicesPass(device: Device, type: ElementType?) throws {
        let folder = try Self.folder()
        let encoder = try SentenceEncoder(folder: folder.folder, weightType: type, device: device)
        let check = try EmbeddingCheck(
            encoder.embeddings(Self.texts), of: Self.texts, folder: folder.folder, weightType: type)
        #expect(check.isPassed, "\(check)")
        #expect(check.description.hasPrefix("3 of 5 texts, 13 tokens, against the reference: "), "\(check)")
        #expect(check.isByCosine == [.float16, .bfloat16].contains(type))
    }

    @Test(arguments: [nil, ElementType.float16], WrongBackend.Fault.allCases)
    func wrongDevicesFail(type: ElementType?, fault: WrongBackend.Fault) throws {
        let folder = try Self.folder()
        let device = Device(backend: WrongBackend(inner: try NativeBackend(), fault: fault))
        let encoder = try SentenceEncoder(folder: folder.folder, weightType: type, device: device)
        let check = try EmbeddingCheck(
            encoder.embeddings(Self.texts), of: Self.texts, folder: folder.folder, weightType: type)
        #expect(!check.isPassed, "\(check)")
    }
}

/// A backend whose layers are not right.
struct WrongBackend: Backend {
    enum Fault: CaseIterable { case noBias, notANumber, otherRow }

    let inner: NativeBackend
    let fault: Fault

    var device: DeviceDescription { inner.device }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        try inner.plan(problem, policy)
    }
    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try inner.makeStorage(byteCount: byteCount)
    }
    func prepare(weight: Tensor) throws(AttentionError) -> any PreparedWeight { try inner.prepare(weight: weight) }

    func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError) {
        switch (fault, operation) {
        case (.noBias, .linear(let step)) where step.activation == .gelu:
            let changed = try LinearOperation(
                input: step.input.tensor, weight: step.weight, activation: step.activation, output: step.output.tensor)
            try inner.perform(.linear(changed), control)
        case (.notANumber, .pooling(let step)):
            try inner.perform(operation, control)
            // In the longest text alone, which comes first.
            try step.output.tensor.viewed(shape: [1], strides: [1]).write([.nan])
        case (.otherRow, .embedding(let step)):
            let terms = try step.terms.map { (term) throws(AttentionError) in
                let indices = term.table.rows == 9 ? term.indices.map { $0 == 8 ? 7 : $0 } : term.indices
                return try EmbeddingOperation.Term(
                    table: term.table.tensor, indices: indices, scale: Double(term.scale))
            }
            try inner.perform(.embedding(try EmbeddingOperation(terms, output: step.output.tensor)), control)
        default: try inner.perform(operation, control)
        }
    }
}
