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
            sum = try norm.normalized(try sublayer(sum), sum, keepsSum: false, pass).output
            return
        }
        let made = try norm.normalized(update ?? sum, update == nil ? nil : sum, keepsSum: true, pass)
        // Not kept while the sublayer takes memory.
        (sum, update) = (made.sum, nil)
        update = try sublayer(made.output)
    }

    /// What has been added up, normalised if there is a `norm`.
    func result(_ norm: LayerNorm?) throws(AttentionError) -> Tensor {
        guard let norm else {
            return try update.map { (update) throws(AttentionError) in try pass.sum(sum, update) } ?? sum
        }
        return try norm.normalized(update ?? sum, update == nil ? nil : sum, keepsSum: false, pass).output
    }
}

extension ForwardPass {
    /// `a + b`. A step that adds and nothing else is not worth a kernel: it is the sum of a normalisation that nobody reads.
    func sum(_ a: Tensor, _ b: Tensor) throws(AttentionError) -> Tensor {
        let (sum, unused) = (try tensor(a.shape), try tensor(a.shape))
        try perform(.normalization(NormalizationOperation(.rms, input: b, residual: a, sum: sum, output: unused)))
        return sum
    }
}
