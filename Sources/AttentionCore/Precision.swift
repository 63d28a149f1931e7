/// The arithmetic of a call's products.
public enum Precision: String, Hashable, Sendable, Codable, CaseIterable {
    /// Products and sums in `float32` at least, whatever the storage: the whole contract.
    case standard
    /// Products, and sums of 8 of them, may be in half precision (`cl_khr_fp16`); everything else is as in ``standard``. Results are
    /// off in the fourth digit rather than the seventh, within a bound of their own (`Contract` of AttentionReference). Never chosen unless it
    /// is asked for, and an error where there is no kernel for it: plans do not fall back to ``standard``.
    ///
    /// For values up to 8000 in size, and for rows whose Σ|scale·q·k| is at most 41,000 for every key they attend, and whose
    /// elements of keys and of scale·q are at most 41,000; nothing is promised of other rows.
    case fast
}
