import Locking

/// Scaled dot-product attention: the default device, the usual options.
///
///     output = softmax(scale · Q·Kᵀ + mask) · V
///
/// ```swift
/// let output = try attention(query: q, key: k, value: v, mask: .causal)
/// ```
///
/// - Parameters:
///   - query: `[batch, queryHeads, queryLength, headDimension]` by any strides, or `[batch, queryLength, queryHeads · headDimension]`
///     together with `queryHeads` and `keyValueHeads`; `float32`, `float16` or `bfloat16`, and `float64` on the reference.
///   - key: `[batch, keyValueHeads, keyLength, headDimension]`, of the query's type; `keyValueHeads` divides `queryHeads`.
///   - value: `[batch, keyValueHeads, keyLength, valueDimension]`.
///   - mask: which keys a query may attend.
///   - scale: what `q·k` is multiplied by; `1/√headDimension` by default.
///   - softcap: `s ← c·tanh(s/c)` for a score `s`; 0 or `nil` is none.
///   - keyLengths: how many keys of each batch entry are real. The last query then stands at the last of them.
///   - alibiSlopes: one a query head: `slope · |distance|` is taken off the score.
///   - sinks: one logit a query head that takes part in the denominator only.
///   - queryHeads: the number of heads, for operands of rank 3.
///   - keyValueHeads: likewise for key and value.
///   - device: where to compute; by default ``DevicePreference/automatic``, opened at the first call and kept.
/// - Returns: `[batch, queryHeads, queryLength, valueDimension]`, laid out and typed as the query.
/// - Throws: `AttentionError.invalid` for a call that cannot be right. A device that fails is replaced as
///   ``FallbackPolicy/automatic`` says; `Device.attend` has more options and tells of it.
///
/// Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1.
public func attention(
    query: Tensor, key: Tensor, value: Tensor, mask: AttentionMask = .none, scale: Double? = nil,
    softcap: Double? = nil, keyLengths: [Int]? = nil, alibiSlopes: [Double]? = nil, sinks: [Double]? = nil,
    queryHeads: Int? = nil, keyValueHeads: Int? = nil, device: Device? = nil
) throws(AttentionError) -> Tensor {
    var inputs = AttentionInputs(query: query, key: key, value: value, mask: mask)
    inputs.keyLengths = keyLengths
    inputs.alibiSlopes = alibiSlopes
    inputs.sinks = sinks
    inputs.queryHeads = queryHeads
    inputs.keyValueHeads = keyValueHeads
    return try chosen(device).attend(inputs, AttentionOptions(scale: scale, softcap: softcap)).output
}

/// As the blocking form, without holding a thread that tasks share; cancelling the task ends the call.
public func attention(
    query: Tensor, key: Tensor, value: Tensor, mask: AttentionMask = .none, scale: Double? = nil,
    softcap: Double? = nil, keyLengths: [Int]? = nil, alibiSlopes: [Double]? = nil, sinks: [Double]? = nil,
    queryHeads: Int? = nil, keyValueHeads: Int? = nil, device: Device? = nil
) async throws(AttentionError) -> Tensor {
    var inputs = AttentionInputs(query: query, key: key, value: value, mask: mask)
    inputs.keyLengths = keyLengths
    inputs.alibiSlopes = alibiSlopes
    inputs.sinks = sinks
    inputs.queryHeads = queryHeads
    inputs.keyValueHeads = keyValueHeads
    let control = RunControl()
    // Choosing a device may take long too.
    let operands = inputs
    return try await offTheTaskPool(control) { () throws(AttentionError) in
        try control.check()
        return try chosen(device).attend(operands, AttentionOptions(scale: scale, softcap: softcap), control: control)
            .output
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

/// Attention over arrays of several heads, in row-major order: `query` is `[batch, queryHeads, queryLength, headDimension]`, and so on.
///
/// `shape` gives the sizes of all three.
///
/// - Returns: `[batch, queryHeads, queryLength, valueDimension]` in row-major order.
public func attention(
    query: [Float], key: [Float], value: [Float], shape: AttentionShape, mask: AttentionMask = .none,
    scale: Double? = nil, softcap: Double? = nil, keyLengths: [Int]? = nil, device: Device? = nil
) throws(AttentionError) -> [Float] {
    try attention(
        query: operand("query", query, shape.queryShape), key: operand("key", key, shape.keyShape),
        value: operand("value", value, shape.valueShape), mask: mask, scale: scale, softcap: softcap,
        keyLengths: keyLengths, device: device
    ).floats()
}

/// As the blocking form over arrays, without holding a thread that tasks share.
public func attention(
    query: [Float], key: [Float], value: [Float], shape: AttentionShape, mask: AttentionMask = .none,
    scale: Double? = nil, softcap: Double? = nil, keyLengths: [Int]? = nil, device: Device? = nil
) async throws(AttentionError) -> [Float] {
    try await attention(
        query: operand("query", query, shape.queryShape), key: operand("key", key, shape.keyShape),
        value: operand("value", value, shape.valueShape), mask: mask, scale: scale, softcap: softcap,
        keyLengths: keyLengths, device: device
    ).floats()
}

/// A tensor of the caller's array, whose name stands in the error if the count does not fit.
private func operand(_ name: String, _ values: [Float], _ shape: [Int]) throws(AttentionError) -> Tensor {
    let count = try TensorLayout.product(shape, operand: name)
    guard count == values.count else {
        throw .invalid(name, .count, expected: "\(count) elements for shape \(shape)", found: "\(values.count)")
    }
    return try Tensor(values, shape: shape)
}

private let defaultDevice = Guarded<Device?>(nil)

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
