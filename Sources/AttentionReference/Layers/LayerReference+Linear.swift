import AttentionCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Activation {
    /// The activation by its definition.
    public func value(_ x: Double) -> Double {
        switch self {
        case .none: x
        // NaN stays NaN.
        case .relu: x < 0 ? 0 : x
        case .gelu: x == -.infinity ? 0 : x / 2 * erfc(-x / 2.0.squareRoot())
        case .geluTanh:
            x == -.infinity ? 0 : x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .silu: x == -.infinity ? 0 : x / (1 + exp(-x))
        }
    }

    /// The steepest it is anywhere: how much it may widen an error.
    var slope: Double {
        switch self {
        case .none, .relu: 1
        case .gelu, .geluTanh, .silu: 1.13
        }
    }
}

extension LayerReference {
    static func linear(
        _ step: LinearOperation, _ control: RunControl, _ withBounds: Bool
    ) throws(AttentionError) -> LayerResult {
        let x = try ReferenceMatrix(step.input)
        let weight = try step.weight.source.doubles()
        let bias = try Tensor.doubles(step.bias, count: step.outputs, default: 0)
        let residual = try step.residual?.tensor.doubles()
        let (inputs, outputs) = (step.inputs, step.outputs)
        let growth = 3 * Double(inputs).squareRoot() + 8
        var result = LayerResult(name: "output", target: step.output.tensor, values: [], allowances: [])
        result.values.reserveCapacity(step.rows * outputs)
        for row in 0..<step.rows {
            try control.check()
            x.values.withUnsafeBufferPointer { x in
                weight.withUnsafeBufferPointer { weight in
                    for output in 0..<outputs {
                        var (sum, size) = (bias[output], abs(bias[output]))
                        let (a, b) = (row * inputs, output * inputs)
                        if withBounds {
                            for i in 0..<inputs {
                                let product = x[a + i] * weight[b + i]
                                sum += product
                                size += abs(product)
                            }
                        } else {
                            for i in 0..<inputs { sum += x[a + i] * weight[b + i] }
                        }
                        let index = row * outputs + output
                        let value = step.activation.value(sum) + (residual?[index] ?? 0)
                        result.values.append(value)
                        guard withBounds else { continue }
                        // What an activation makes of an infinite sum is certain.
                        let early = sum.isInfinite ? 0 : growth * size * step.activation.slope + 8 * abs(sum)
                        let off = early + 2 * abs(value)
                        // Products may underflow one by one.
                        result.allowances.append(u * off + Contract.smallestNormal * Double(inputs + 2))
                    }
                }
            }
        }
        return result
    }
}
