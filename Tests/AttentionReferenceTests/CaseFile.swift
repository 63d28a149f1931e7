import AttentionCore
import Foundation
import TensorFiles

/// An ONNX case as a file holds it: operands and expected results by name, options as metadata.
struct CaseFile {
    var tensors: [String: Tensor] = [:]
    let metadata: [String: String]

    init(_ url: URL) throws {
        let file = try TensorFile(path: url.path)
        metadata = file.metadata
        for entry in file.entries {
            let type: ElementType? =
                switch entry.elementType {
                case .bool: .bool
                case .float16: .float16
                case .bfloat16: .bfloat16
                case .float32: .float32
                case .float64: .float64
                case .int32: .int32
                case .int64: .int64
                default: nil
                }
            guard let type else { continue }
            tensors[entry.name] = try Tensor(
                bytes: try file.bytes(of: entry.name), shape: entry.shape, elementType: type)
        }
    }

    var tolerance: Double { number("rtol") ?? 0 }
    var least: Double { number("atol") ?? 0 }

    private func number(_ key: String) -> Double? { metadata[key].flatMap(Double.init) }
    private func integer(_ key: String) -> Int? { metadata[key].flatMap(Int.init) }

    func problem() throws -> (AttentionProblem, AttentionInputs) {
        struct Missing: Error { let name: String }
        func tensor(_ name: String) throws -> Tensor {
            guard let tensor = tensors[name] else { throw Missing(name: name) }
            return tensor
        }
        var inputs = AttentionInputs(query: try tensor("Q"), key: try tensor("K"), value: try tensor("V"))
        inputs.mask.tensor = tensors["attn_mask"]
        inputs.mask.isCausal = integer("is_causal") == 1
        inputs.mask.windowLeft = integer("left_window_size").flatMap { $0 < 0 ? nil : $0 }
        inputs.mask.windowRight = integer("right_window_size").flatMap { $0 < 0 ? nil : $0 }
        (inputs.pastKey, inputs.pastValue) = (tensors["past_key"], tensors["past_value"])
        inputs.keyLengths = try tensors["nonpad_kv_seqlen"]?.doubles().map { Int($0) }
        (inputs.queryHeads, inputs.keyValueHeads) = (integer("q_num_heads"), integer("kv_num_heads"))
        let options = AttentionOptions(
            scale: number("scale"), softcap: number("softcap"),
            scores: tensors["qk_matmul_output"] == nil
                ? nil : ScoreOutput(rawValue: integer("qk_matmul_output_mode") ?? 0),
            logSumExp: tensors["log_sum_exp"] != nil)
        return (try AttentionProblem(inputs, options), inputs)
    }
}
