import Synchronization

/// Scaled dot-product attention: the default device, the usual options.
///
///     output = softmax(scale · Q·Kᵀ + mask) · V
///
/// ```swift
/// let output = try attention(query: q, key: k, value: v, mask: .causal)
/// ```
///
/// - Parameters:
///   - query: `[batch, queryHeads, queryLength, headDimension]`; `float32`, `float16` or `bfloat16`.
///   - key: `[batch, keyValueHeads, keyLength, headDimension]`, of the query's type.
///   - value: `[batch, keyValueHeads, keyLength, valueDimension]`.
///   - mask: which keys a query may attend.
///   - scale: what `q·k` is multiplied by; `1/√headDimension` by default.
///   - keyLengths: how many keys of each batch entry are real.
///   - device: where to compute; by default ``DevicePreference/automatic``, opened at the first call and kept.
/// - Returns: `[batch, queryHeads, queryLength, valueDimension]`, laid out and typed as the query.
/// - Throws: ``AttentionError/invalid(_:)`` for a call that cannot be right. A device that fails is replaced by the reference;
///   ``Device/attend(_:_:into:policy:fallback:control:)-(_,_,AttentionOutputs?,_,_,_)`` has more options and tells of it.
///
/// Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1.
public func attention(
    query: Tensor, key: Tensor, value: Tensor, mask: AttentionMask = .none, scale: Double? = nil,
    keyLengths: [Int]? = nil, device: Device? = nil
) throws(AttentionError) -> Tensor {
    var inputs = AttentionInputs(query: query, key: key, value: value, mask: mask)
    inputs.keyLengths = keyLengths
    return try chosen(device).attend(inputs, AttentionOptions(scale: scale)).output
}

/// As the blocking form, without holding a thread that tasks share; cancelling the task ends the call.
public func attention(
    query: Tensor, key: Tensor, value: Tensor, mask: AttentionMask = .none, scale: Double? = nil,
    keyLengths: [Int]? = nil, device: Device? = nil
) async throws(AttentionError) -> Tensor {
    var inputs = AttentionInputs(query: query, key: key, value: value, mask: mask)
    inputs.keyLengths = keyLengths
    let control = RunControl()
    // Choosing a device may take long too.
    let operands = inputs
    return try await offTheTaskPool(control) { () throws(AttentionError) in
        try control.check()
        return try chosen(device).attend(operands, AttentionOptions(scale: scale), control: control).output
    }
}

/// Attention of a single head over arrays: `queryLength × headDimension` and so on, row by row.
///
/// - Returns: `queryLength × valueDimension` elements, row by row.
public func attention(
    query: [Float], key: [Float], value: [Float], headDimension: Int, valueDimension: Int? = nil,
    mask: AttentionMask = .none, scale: Double? = nil, device: Device? = nil
) throws(AttentionError) -> [Float] {
    func matrix(_ name: String, _ values: [Float], _ columns: Int) throws(AttentionError) -> Tensor {
        guard columns > 0, values.count.isMultiple(of: columns) else {
            throw .invalid(name, .count, expected: "whole rows of \(columns) elements", found: "\(values.count)")
        }
        return try Tensor(values, shape: [1, 1, values.count / columns, columns])
    }
    let output = try attention(
        query: try matrix("query", query, headDimension), key: try matrix("key", key, headDimension),
        value: try matrix("value", value, valueDimension ?? headDimension), mask: mask, scale: scale, device: device)
    return try output.floats()
}

private let defaultDevice = Mutex<Device?>(nil)

/// `device`, or the one that is opened at the first call without one.
private func chosen(_ device: Device?) throws(AttentionError) -> Device {
    if let device { return device }
    let result = defaultDevice.withLock { known -> Result<Device, AttentionError> in
        if let known { return .success(known) }
        do throws(AttentionError) {
            let device = try Device.select()
            known = device
            return .success(device)
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}
