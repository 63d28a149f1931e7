extension AttentionPlan {
    /// What runs where, and why, for people: one fact a line.
    ///
    ///     attention  B1 H8/8 L128×128 D64/64, f32, causal
    ///     device     opencl:0.0, Some GPU (Some Platform), gpu
    ///     chosen     the first usable GPU
    ///     kernel     flash_tiled
    ///     because    local memory holds two tiles of keys
    ///     refused    flash_wide: the device reports narrow vectors
    ///     scratch    0 bytes
    ///     build      optimised
    ///
    /// Where the device failed when the plan was made, `computes` names the one that computes for it, and `failed` says why.
    public func explain() -> String {
        var lines = [
            ("attention", call),
            ("device", device.label),
            ("chosen", device.reason),
            ("kernel", explanation.kernel),
        ]
        if !fallbacks.isEmpty { lines.insert(("computes", planned.name), at: 3) }
        lines += explanation.choices.map { ("because", $0) }
        lines += (explanation.warnings + explanation.refusals).map { ("refused", $0) }
        lines += fallbacks.map { ("failed", "\($0)") }
        lines += device.skipped.map { ("skipped", "\($0)") }
        lines.append(("scratch", "\(explanation.scratchBytes) bytes"))
        lines.append(("build", Self.build))
        return lines.map { $0.0.padding(to: 11) + $0.1 }.joined(separator: "\n")
    }

    /// The planned call in a line.
    private var call: String {
        var parts = ["\(shape)", "\(elementType)"]
        if signature.valueType != elementType { parts.append("values \(signature.valueType)") }
        if signature.isCausal { parts.append("causal") }
        if signature.windowLeft != nil || signature.windowRight != nil {
            func text(_ bound: Int?) -> String { bound.map(String.init) ?? "unbounded" }
            parts.append("window \(text(signature.windowLeft)) left, \(text(signature.windowRight)) right")
        }
        if signature.alignment == .bottomRight { parts.append("bottom-right") }
        if let type = signature.maskType, let shape = signature.maskShape { parts.append("mask \(type) \(shape)") }
        if signature.softcap > 0 { parts.append("softcap \(signature.softcap)") }
        if !signature.alibiSlopes.isEmpty { parts.append("ALiBi") }
        if !signature.sinks.isEmpty { parts.append("sinks") }
        if signature.pastLength > 0 { parts.append("\(signature.pastLength) past keys") }
        if let sequences = signature.sequences { parts.append("\(sequences) packed sequences") }
        return parts.joined(separator: ", ")
    }

    private static var build: String {
        isUnoptimizedBuild
            ? "not optimised: this is a debug build, many times slower on the host; build with -c release" : "optimised"
    }
}

extension AttentionPlan: CustomStringConvertible {
    public var description: String { explain() }
}

/// True in a debug build, whose host side is many times slower.
var isUnoptimizedBuild: Bool {
    var isDebug = false
    assert({ isDebug = true }() == ())
    return isDebug
}

extension Device {
    /// Selector, name, platform and kind in a line.
    fileprivate var label: String {
        let d = description
        return d.kind == .reference ? "\(d.selector), \(d.name)" : "\(d.selector), \(d.name) (\(d.platform)), \(d.kind)"
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
