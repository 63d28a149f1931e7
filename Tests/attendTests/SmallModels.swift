import Foundation
import TensorFiles

/// Folders of models whose results are known by hand.
enum SmallModels {
    static let tokens = ["<s>", "a", "b", "</s>"]

    /// An encoder-decoder without layers: a token's vector is its own axis, and the generator favours the token behind it by 10.
    ///
    /// - Parameters:
    ///   - change: of the configuration.
    ///   - without: a tensor to leave out.
    static func encoderDecoder(
        in folder: TemporaryFolder, _ change: [String: Any] = [:], without: String? = nil
    ) throws -> String {
        var configuration: [String: Any] = [
            "d_model": 4, "nhead": 1, "num_encoder_layers": 0, "num_decoder_layers": 0, "dim_feedforward": 4,
            "activation": "relu", "norm_first": false, "layer_norm_eps": 1e-5, "final_norm": false,
            "source_vocabulary": 4, "target_vocabulary": 4, "positions": "learned", "max_positions": 8,
            "scale_embeddings": false, "tie_target_embedding": false, "wrap_source": false, "start_token": "<s>",
            "end_token": "</s>", "pad_token": "<s>", "unknown_token": "<s>", "tokenizer": "longest-match",
        ]
        configuration.merge(change) { $1 }
        let name = "model-" + UUID().uuidString
        try folder.write(Array(try JSONSerialization.data(withJSONObject: configuration)), to: name + "/config.json")
        let list = Array(try JSONSerialization.data(withJSONObject: tokens))
        for side in ["source", "target"] { try folder.write(list, to: "\(name)/\(side)_tokens.json") }
        func matrix(_ entry: (Int, Int) -> Float) -> [Float] { (0..<16).map { entry($0 / 4, $0 % 4) } }
        let axes = matrix { $0 == $1 ? 1 : 0 }
        let zeros = [Float](repeating: 0, count: 32)
        let tensors = [
            SmallCase.floats("source_embedding.weight", axes, [4, 4]),
            SmallCase.floats("target_embedding.weight", axes, [4, 4]),
            SmallCase.floats("source_position.weight", zeros, [8, 4]),
            SmallCase.floats("target_position.weight", zeros, [8, 4]),
            SmallCase.floats("generator.weight", matrix { $0 == $1 + 1 ? 10 : 0 }, [4, 4]),
            SmallCase.floats("generator.bias", [0, 0, 0, 0], [4]),
        ]
        try folder.write(tensors.filter { $0.name != without }, to: name + "/model.safetensors")
        return folder.path(name)
    }

    /// What it says: from `<s>` to `a`, to `b`, to the end, each with e¹⁰ against 1, 1, 1.
    static let translation = "ab"
    static let score = -3 * Foundation.log(1 + 3 * Foundation.exp(-10.0))

    /// Additive attention in Keras' form: both keys score alike, so the output is the mean of the values.
    static func additiveLayer(in folder: TemporaryFolder, expected: [Float] = [2, 3], config: String? = nil) throws
        -> String
    {
        try folder.write(
            [
                SmallCase.floats("inputs.query", [1], [1, 1, 1]), SmallCase.floats("inputs.key", [2, 2], [1, 2, 1]),
                SmallCase.floats("inputs.value", [1, 2, 3, 4], [1, 2, 2]), SmallCase.floats("inputs.scale", [1], [1]),
                SmallCase.floats("outputs.output", expected, [1, 1, 2]),
            ], metadata: ["config": config ?? #"{"type": "additive", "form": "keras"}"#],
            to: "layer-\(UUID().uuidString).safetensors")
    }
}
