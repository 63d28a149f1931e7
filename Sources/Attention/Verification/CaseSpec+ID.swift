import AttentionCore

extension CaseSpec: CustomStringConvertible {
    /// The case's id: `pair:b2h6/3-q5k17-d35v80-f16-causal-br-window3,1-mask:bf16:b11k`. Options at rest are left out.
    package var description: String { id }

    package var id: String {
        var parts = [
            "\(group.rawValue):" + (name.isEmpty ? "" : "\(name):") + "b\(batch)h\(queryHeads)/\(keyValueHeads)",
            "q\(queryLength)k\(keyLength)", "d\(headDimension)v\(valueDimension)",
            queryType == valueType ? "\(queryType)" : "\(queryType).\(valueType)",
        ]
        if position != .none { parts.append(position.rawValue) }
        if windowLeft != nil || windowRight != nil {
            parts.append("window\(Self.bound(windowLeft)),\(Self.bound(windowRight))")
        }
        if let softcap { parts.append("softcap\(Self.brief(softcap))") }
        if scale != .standard { parts.append("scale:\(scale.rawValue)") }
        if let maskType {
            let pattern = maskPattern == .mixed ? "" : ":\(maskPattern.rawValue)"
            parts.append("mask:\(maskType):\(maskForm.rawValue)\(pattern)")
        }
        if alibi != .none { parts.append("alibi:\(alibi.rawValue)") }
        if sinks != .none { parts.append("sinks:\(sinks.rawValue)") }
        if lengths != .none { parts.append("lengths:\(lengths.rawValue)") }
        if past > 0 { parts.append("past\(past)") }
        if hasEmptyPast { parts.append("past0") }
        if packing != .none { parts.append("packed:\(packing.rawValue)") }
        if layout != .bhld { parts.append("layout:\(layout.rawValue)") }
        if outputLayout != .natural { parts.append("out:\(outputLayout.rawValue)") }
        if let scores { parts.append("scores\(scores.rawValue)") }
        if logSumExp { parts.append("lse") }
        if logits != .normal { parts.append("logits:\(logits.rawValue)") }
        if poison != .none { parts.append("poison:\(poison.rawValue)") }
        if probe != .none { parts.append("probe:\(probe.rawValue)") }
        if onDevice { parts.append("device") }
        return parts.joined(separator: "-")
    }

    private static func bound(_ value: Int?) -> String {
        guard let value else { return "*" }
        return value == Int.max ? "max" : "\(value)"
    }

    private static func brief(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e9 ? "\(Int(value))" : "\(value)"
    }
}
