public import AttentionCore

/// A kernel of layers with all that its text is compiled with, for whoever tries it.
public struct LayerVariant: Codable, Hashable, Sendable {
    /// The step that it computes, with the types that it is compiled for.
    public enum Step: Hashable, Sendable {
        case linear(weight: ElementType)
        case normalization, embedding, additiveAttention, rotary, selection, pooling
        case copy(elementBytes: Int)
    }

    let kernel: LayerKernel

    init(_ kernel: LayerKernel) { self.kernel = kernel }

    /// The entry point, which is the file's name too.
    public var name: String { kernel.name }

    public var step: Step {
        switch kernel {
        case .linearWide(_, let weight, _), .linearTiled(_, let weight, _, _), .linearFew(_, let weight, _, _):
            switch weight {
            case .f32: .linear(weight: .float32)
            case .f16: .linear(weight: .float16)
            case .bf16: .linear(weight: .bfloat16)
            }
        case .additiveWide, .additiveTiled: .additiveAttention
        case .rows(.normalization, _, _, _): .normalization
        case .rows(.embedding, _, _, _): .embedding
        case .rows(.rotary, _, _, _): .rotary
        case .rows(.pooling, _, _, _): .pooling
        case .rows(.selection, _, _, _): .selection
        case .copy(let elementBytes, _): .copy(elementBytes: elementBytes)
        }
    }
}
