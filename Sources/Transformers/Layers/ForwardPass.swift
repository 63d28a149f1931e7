public import Attention

/// One computation through the layers of a model: the device, who stands in for it, the memory in between, and what is kept
/// besides the result.
///
/// Layers make one for themselves when they are called without; give them all the same to have memory used again, to cancel, or
/// to see attention weights.
///
/// ```swift
/// let pass = ForwardPass(device, keepsAttention: true)
/// let output = try encoder(input, pass: pass)
/// for map in pass.attention { print(map.layer, map.weights.shape) }
/// ```
///
/// A pass belongs to one task. Results are the caller's; the memory of those that nobody has any more serves the steps that come,
/// so that a pass through many layers takes what one of them does. It is freed with the pass.
public final class ForwardPass {
    public let device: Device
    public let fallback: FallbackPolicy
    public let control: RunControl
    /// Whether layers return the weights of their attention as well, which costs `heads · queries · keys` numbers a layer.
    public let keepsAttention: Bool
    /// The weights of each attention so far, in the order of computation; empty unless ``keepsAttention``.
    public private(set) var attention: [AttentionMap] = []
    /// Devices that failed or rested in a step, which others finished: each once with each reason.
    public private(set) var fallbacks: [Fallback] = []
    private let workspace: Workspace
    private var isRunning = false
    /// Which layer is being computed, for ``attention``.
    private var place = (part: AttentionMap.Part.encoder, layer: 0)

    /// - Parameters:
    ///   - device: where to compute.
    ///   - keepsAttention: whether ``attention`` is filled.
    ///   - fallback: who finishes a step that the device cannot.
    ///   - control: lets another task cancel; looked at before each step.
    public init(
        _ device: Device, keepsAttention: Bool = false, fallback: FallbackPolicy = .automatic,
        control: RunControl = .init()
    ) {
        self.device = device
        self.keepsAttention = keepsAttention
        self.fallback = fallback
        self.control = control
        workspace = Workspace(device)
    }

    /// Runs the steps of `body` as one sequence: the device is waited for at the end, or when the host reads a result. All stacks of
    /// layers pass through here, those within others too.
    ///
    /// What fails within a step is finished elsewhere step by step. A device that fails at the end, with nobody left to ask, has the
    /// whole computed again without a sequence.
    ///
    /// - Parameters:
    ///   - undo: takes back what `body` changed besides new memory, before it runs again.
    ///   - body: ends with what the host reads, so that a device which fails at that has failed within it.
    func run<Result>(
        undo: () -> Void = {}, _ body: () throws(AttentionError) -> Result
    ) throws(AttentionError) -> Result {
        if isRunning { return try body() }
        isRunning = true
        defer { isRunning = false }
        let kept = attention.count
        do throws(AttentionError) {
            return try device.sequence(body)
        } catch {
            guard fallback != .never, case .deviceFailed(let name, let detail) = error else { throw error }
            try control.check()
            note([Fallback(from: name, reason: detail)])
            attention.removeLast(attention.count - kept)
            undo()
            return try body()
        }
    }

    /// Memory for a result, whose elements are undefined. When nobody has the tensor any more, later results take its place.
    func tensor(_ shape: [Int], _ type: ElementType = .float32) throws(AttentionError) -> Tensor {
        try workspace.tensor(shape, type)
    }

    func perform(_ operation: LayerOperation) throws(AttentionError) {
        note(try device.perform(operation, fallback: fallback, control: control))
    }

    func perform(
        _ inputs: AttentionInputs, _ options: AttentionOptions, into output: Tensor
    ) throws(AttentionError) -> AttentionResult {
        let result = try device.attend(inputs, options, into: output, fallback: fallback, control: control)
        note(result.fallbacks)
        return result
    }

    private func note(_ found: [Fallback]) {
        for fallback in found where !fallbacks.contains(fallback) { fallbacks.append(fallback) }
    }

    // MARK: Attention weights

    func enter(_ part: AttentionMap.Part, layer: Int) { place = (part, layer) }

    func keep(_ weights: Tensor, isCross: Bool) {
        let part: AttentionMap.Part = isCross ? .cross : place.part
        attention.append(AttentionMap(part: part, layer: place.layer, weights: weights))
    }
}

/// Who attends to whom in one layer.
public struct AttentionMap: Sendable {
    public enum Part: String, Hashable, Sendable, CaseIterable {
        /// The source attends itself.
        case encoder
        /// The target attends itself.
        case decoder
        /// The target attends the source.
        case cross
    }

    public let part: Part
    /// Counted from 0 within the encoder or decoder.
    public let layer: Int
    /// `[batch, heads, queries, keys]`; each row adds up to 1, or is 0 where every key is masked.
    public let weights: Tensor
}

extension Device {
    /// `tensor` where this device reads it: itself in host memory for those that compute there.
    func parameter(_ tensor: Tensor) throws(AttentionError) -> Tensor {
        if tensor.storage.hostBytes != nil, [.native, .reference, .group].contains(description.kind) { return tensor }
        return try tensor.moved(to: self)
    }
}

extension Tensor {
    /// The same elements, without gaps, in another shape of as many.
    func reshaped(_ shape: [Int]) throws(AttentionError) -> Tensor {
        let target = try TensorLayout(contiguous: shape)
        guard layout.isContiguous, target.count == count else {
            throw .invalid("tensor", .shape, expected: "\(count) elements without gaps", found: "\(shape)")
        }
        return try viewed(shape: shape, strides: target.strides, offset: layout.offset)
    }
}
