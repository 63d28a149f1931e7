import Attention
import TensorFiles

/// The options of a case, as its metadata gives them under ONNX's names.
struct CaseSettings: Equatable {
    var isCausal = false
    var isBottomRight = false
    var scale: Double?
    var softcap: Double?
    var windowLeft: Int?
    var windowRight: Int?
    var queryHeads: Int?
    var keyValueHeads: Int?
    var scores: ScoreOutput?
    var logSumExp = false
    /// What stored values are held to, if the file says so.
    var relativeTolerance: Double?
    var absoluteTolerance: Double?

    init() {}

    /// - Throws: ``CommandFailure`` of status 65 that names the key, for a value that is not what the key holds.
    init(metadata: [String: String], file: String) throws {
        let reader = Reader(metadata: metadata, file: file)
        isCausal = try reader.integer("is_causal", in: 0...1) == 1
        if let alignment = metadata["causal_alignment"] {
            guard ["top-left", "bottom-right"].contains(alignment) else {
                throw reader.failure("causal_alignment", "top-left or bottom-right")
            }
            isBottomRight = alignment == "bottom-right"
        }
        scale = try reader.number("scale")
        softcap = try reader.number("softcap")
        if let softcap, softcap < 0 { throw reader.failure("softcap", "0 or more") }
        windowLeft = try reader.window("left_window_size")
        windowRight = try reader.window("right_window_size")
        queryHeads = try reader.integer("q_num_heads", in: 1...Int.max)
        keyValueHeads = try reader.integer("kv_num_heads", in: 1...Int.max)
        scores = try reader.integer("qk_matmul_output_mode", in: 0...3).flatMap(ScoreOutput.init)
        relativeTolerance = try reader.tolerance("rtol")
        absoluteTolerance = try reader.tolerance("atol")
    }

    var options: AttentionOptions {
        AttentionOptions(scale: scale, softcap: softcap, scores: scores, logSumExp: logSumExp)
    }
}

/// Reads numbers strictly: no spaces, no names, no other base.
private struct Reader {
    let metadata: [String: String]
    let file: String

    func failure(_ key: String, _ expected: String) -> CommandFailure {
        let found = metadata[key].map { "'\($0.prefix(40))'" } ?? "nothing"
        return CommandFailure(.badInput, "\(file): metadata key \(key): expected \(expected), found \(found)")
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = metadata[key] else { return nil }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(text) else {
            throw failure(key, "a whole number")
        }
        guard range.contains(value) else {
            throw failure(
                key,
                range.upperBound == Int.max
                    ? "\(range.lowerBound) or more" : "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// A size of a window; −1 is unbounded.
    func window(_ key: String) throws -> Int? {
        let value = try integer(key, in: -1...Int.max)
        return value == -1 ? nil : value
    }

    func number(_ key: String) throws -> Double? {
        guard let text = metadata[key] else { return nil }
        let allowed = Set("0123456789+-.eE".utf8)
        guard text.utf8.allSatisfy(allowed.contains), let value = Double(text), value.isFinite else {
            throw failure(key, "a finite decimal number")
        }
        return value
    }

    func tolerance(_ key: String) throws -> Double? {
        let value = try number(key)
        if let value, value < 0 { throw failure(key, "0 or more") }
        return value
    }
}
