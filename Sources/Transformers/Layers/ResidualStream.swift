import Attention

/// What runs through a stack of layers: a sum that each sublayer adds to, normalised before the sublayer or after the sum.
///
///     post-norm: x ← norm(x + f(x))          pre-norm: x ← x + f(norm(x))
///
/// Sum and normalisation are one step both ways: a pre-norm sublayer's result is added by the normalisation of the next.
/// Sources: Vaswani et al. 2017, arXiv 1706.03762; Xiong et al. 2020, arXiv 2002.04745, for the order.
struct ResidualStream {
    private var sum: Tensor
    /// The last sublayer's result, which is not added yet.
    private var update: Tensor?
    /// Whether the sum is one that was made here, and no longer the caller's input.
    private var ownsSum = false
    let isNormFirst: Bool
    let pass: ForwardPass

    init(_ input: Tensor, isNormFirst: Bool, _ pass: ForwardPass) {
        sum = input
        self.isNormFirst = isNormFirst
        self.pass = pass
    }

    /// Passes one sublayer with its normalisation.
    mutating func apply(
        _ norm: LayerNorm, _ sublayer: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) {
        guard isNormFirst else {
            let result = try sublayer(sum)
            replaceSum(try norm.normalized(result, sum, keepsSum: false, pass).output)
            pass.recycle(result)
            return
        }
        let input: Tensor
        if let update {
            let made = try norm.normalized(update, sum, keepsSum: true, pass)
            input = made.output
            replaceSum(made.sum)
            pass.recycle(update)
        } else {
            input = try norm.normalized(sum, nil, keepsSum: false, pass).output
        }
        update = try sublayer(input)
        pass.recycle(input)
    }

    private mutating func replaceSum(_ new: Tensor) {
        if ownsSum { pass.recycle(sum) }
        (sum, ownsSum) = (new, true)
    }

    /// What has been added up, normalised if there is a `norm`.
    func result(_ norm: LayerNorm?) throws(AttentionError) -> Tensor {
        guard let update else {
            guard let norm else { return sum }
            defer { if ownsSum { pass.recycle(sum) } }
            return try norm.normalized(sum, nil, keepsSum: false, pass).output
        }
        defer {
            pass.recycle(update)
            if ownsSum { pass.recycle(sum) }
        }
        if let norm { return try norm.normalized(update, sum, keepsSum: false, pass).output }
        // A step that adds and nothing else is not worth a kernel: it is the sum of a normalisation that nobody reads.
        let (total, unused) = (try pass.tensor(sum.shape), try pass.tensor(sum.shape))
        defer { pass.recycle(unused) }
        try pass.perform(
            .normalization(NormalizationOperation(.rms, input: update, residual: sum, sum: total, output: unused)))
        return total
    }
}
