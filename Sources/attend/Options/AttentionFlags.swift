import ArgumentParser
import Attention

/// What `run` and `conform` take beside the file. Each has a metadata key as well; the flag wins.
struct AttentionFlags: ParsableArguments {
    @Flag(help: "Keys after a query's own position are excluded (is_causal).")
    var causal = false

    @Option(help: "Where queries stand when there are more keys: top-left or bottom-right (causal_alignment).")
    var causalAlignment: Alignment?

    @Option(parsing: .unconditional, help: "What q·k is multiplied by; 1/√D without it (scale).")
    var scale: Double?

    @Option(parsing: .unconditional, help: "c of s ← c·tanh(s/c); 0 for none (softcap).")
    var softcap: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Keys more than this before a query are excluded; -1 unbounded (left_window_size).", valueName: "keys"))
    var windowLeft: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Keys more than this after a query are excluded; -1 unbounded (right_window_size).", valueName: "keys"))
    var windowRight: Int?

    @Option(help: ArgumentHelp("Heads of a query of rank 3 (q_num_heads).", valueName: "heads"))
    var queryHeads: Int?

    @Option(help: ArgumentHelp("Heads of keys and values of rank 3 (kv_num_heads).", valueName: "heads"))
    var keyValueHeads: Int?

    @Option(
        help: ArgumentHelp(
            "Also give scores: 0 scaled, 1 after softcap, 2 after the mask, 3 probabilities (qk_matmul_output_mode).",
            valueName: "mode"))
    var scores: Int?

    @Flag(help: "Also give the logarithm of each row's sum of exponentials.")
    var logSumExp = false

    enum Alignment: String, ExpressibleByArgument, CaseIterable {
        case topLeft = "top-left"
        case bottomRight = "bottom-right"
    }

    mutating func validate() throws {
        for (name, value) in [("--scale", scale), ("--softcap", softcap)] {
            if let value, !value.isFinite { throw ValidationError("\(name): expected a finite number, found \(value)") }
        }
        if let softcap, softcap < 0 { throw ValidationError("--softcap: expected 0 or more, found \(softcap)") }
        for (name, value) in [("--window-left", windowLeft), ("--window-right", windowRight)] {
            if let value, value < -1 { throw ValidationError("\(name): expected -1 or more, found \(value)") }
        }
        for (name, value) in [("--query-heads", queryHeads), ("--key-value-heads", keyValueHeads)] {
            if let value, value < 1 { throw ValidationError("\(name): expected 1 or more, found \(value)") }
        }
        if let scores, ScoreOutput(rawValue: scores) == nil {
            throw ValidationError("--scores: expected 0, 1, 2 or 3, found \(scores)")
        }
    }

    /// `settings` with the flags that were given.
    func applied(to settings: CaseSettings) -> CaseSettings {
        var result = settings
        if causal { result.isCausal = true }
        if let causalAlignment { result.isBottomRight = causalAlignment == .bottomRight }
        if let scale { result.scale = scale }
        if let softcap { result.softcap = softcap }
        if let windowLeft { result.windowLeft = windowLeft < 0 ? nil : windowLeft }
        if let windowRight { result.windowRight = windowRight < 0 ? nil : windowRight }
        if let queryHeads { result.queryHeads = queryHeads }
        if let keyValueHeads { result.keyValueHeads = keyValueHeads }
        if let scores { result.scores = ScoreOutput(rawValue: scores) }
        if logSumExp { result.logSumExp = true }
        return result
    }
}
