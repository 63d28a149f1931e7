import Attention
import TensorFiles

/// One attention call as a .safetensors file holds it: operands, options and, if there are any, expected results.
struct CaseFile {
    let path: String
    /// The operands; options of the file and of the command line are applied by ``inputs(_:)``.
    private let tensors: [String: Tensor]
    private let integers: [String: [Int]]
    private let numbers: [String: [Double]]
    /// What the metadata says.
    let settings: CaseSettings

    /// Names of operands, each with the spelling of it that a file may use instead.
    private static let operands = ["Q": "query", "K": "key", "V": "value"]
    private static let optionalOperands = ["attn_mask", "past_key", "past_value"]
    private static let integerOperands = ["nonpad_kv_seqlen", "cu_seqlens_q", "cu_seqlens_k"]
    private static let numberOperands = ["alibi_slopes", "sinks"]
    /// Results that a file may hold, and `run` writes.
    static let results = ["Y", "present_key", "present_value", "qk_matmul_output", "log_sum_exp"]

    /// Reads and checks the file; whether shapes fit each other is for ``AttentionProblem`` to say.
    ///
    /// - Throws: ``TensorFileError``, or ``CommandFailure`` of status 65 that names the tensor or key.
    init(path: String) throws {
        let file = try TensorFile(path: path)
        let reader = TensorReader(file: file)
        self.path = path
        settings = try CaseSettings(metadata: file.metadata, file: reader.shownName)
        var tensors: [String: Tensor] = [:]
        var integers: [String: [Int]] = [:]
        var numbers: [String: [Double]] = [:]
        for entry in file.entries {
            let name = try Self.canonicalName(entry.name, in: file, reader)
            if Self.integerOperands.contains(name) {
                integers[name] = try reader.integers(entry)
            } else if Self.numberOperands.contains(name) {
                numbers[name] = try reader.numbers(entry)
            } else {
                tensors[name] = try reader.tensor(entry, allowsBool: name == "attn_mask")
            }
        }
        for name in ["Q", "K", "V"] where tensors[name] == nil {
            throw reader.failure(name, "a tensor of that name", "none")
        }
        (self.tensors, self.integers, self.numbers) = (tensors, integers, numbers)
    }

    private static func canonicalName(_ name: String, in file: TensorFile, _ reader: TensorReader) throws -> String {
        if let pair = operands.first(where: { $0.value == name }) {
            guard file[pair.key] == nil else { throw reader.failure(name, "either \(pair.key) or \(name)", "both") }
            return pair.key
        }
        let known = operands.keys + optionalOperands + integerOperands + numberOperands + results
        guard known.contains(name) else {
            throw reader.failure(
                name,
                "only \((["Q", "K", "V"] + optionalOperands + integerOperands + numberOperands + results).joined(separator: " "))",
                "a tensor of another name")
        }
        return name
    }

    /// The result called `name` that the file holds.
    func expected(_ name: String) -> Tensor? { tensors[name] }

    /// True if the file holds any result to compare with.
    var hasExpectations: Bool { Self.results.contains { tensors[$0] != nil } }

    /// The settings with the flags, and with the results asked for that the file holds.
    func settings(_ flags: AttentionFlags) -> CaseSettings {
        var result = flags.applied(to: settings)
        if tensors["qk_matmul_output"] != nil, result.scores == nil { result.scores = .scaled }
        if tensors["log_sum_exp"] != nil { result.logSumExp = true }
        return result
    }

    /// The operands of the call.
    func inputs(_ settings: CaseSettings) throws -> AttentionInputs {
        guard let query = tensors["Q"], let key = tensors["K"], let value = tensors["V"] else {
            throw CommandFailure(.bug, "\(path): Q, K or V went missing")
        }
        var mask = AttentionMask()
        mask.isCausal = settings.isCausal
        mask.alignment = settings.isBottomRight ? .bottomRight : .topLeft
        mask.windowLeft = settings.windowLeft
        mask.windowRight = settings.windowRight
        mask.tensor = tensors["attn_mask"]
        var inputs = AttentionInputs(query: query, key: key, value: value, mask: mask)
        inputs.keyLengths = integers["nonpad_kv_seqlen"]
        inputs.pastKey = tensors["past_key"]
        inputs.pastValue = tensors["past_value"]
        inputs.alibiSlopes = numbers["alibi_slopes"]
        inputs.sinks = numbers["sinks"]
        inputs.cumulativeQueryOffsets = integers["cu_seqlens_q"]
        inputs.cumulativeKeyOffsets = integers["cu_seqlens_k"]
        inputs.queryHeads = settings.queryHeads
        inputs.keyValueHeads = settings.keyValueHeads
        return inputs
    }

    /// What a file or the command line calls an operand of the library.
    static func name(ofOperand operand: String) -> String {
        let names = [
            "query": "Q", "key": "K", "value": "V", "mask": "attn_mask", "pastKey": "past_key",
            "pastValue": "past_value", "keyLengths": "nonpad_kv_seqlen", "alibiSlopes": "alibi_slopes",
            "cumulativeQueryOffsets": "cu_seqlens_q", "cumulativeKeyOffsets": "cu_seqlens_k",
            "queryHeads": "q_num_heads (--query-heads)", "keyValueHeads": "kv_num_heads (--key-value-heads)",
            "windowLeft": "left_window_size (--window-left)", "windowRight": "right_window_size (--window-right)",
        ]
        return names[operand] ?? operand
    }
}

/// The results of a call under the names that files use.
extension AttentionOutputs {
    var named: [(name: String, tensor: Tensor)] {
        let all: [(String, Tensor?)] = [
            ("Y", output), ("present_key", presentKey), ("present_value", presentValue), ("qk_matmul_output", scores),
            ("log_sum_exp", logSumExp),
        ]
        return all.compactMap { name, tensor in tensor.map { (name, $0) } }
    }
}
