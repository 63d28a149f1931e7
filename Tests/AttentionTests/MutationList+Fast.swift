/// Wrong kernels among those with products in half.
extension KernelMutation {
    static let fast: [KernelMutation] = [
        change(
            "fast: chunks before the last left out", "terms.clh", "sums[t] += widened(parts[t]);",
            "sums[t] = widened(parts[t]);", "size:"),
        change(
            "fast: sums of the last chunk twice", "terms.clh", "widened(parts[t]);", "2 * widened(parts[t]);", "size:"),
        change("fast: a wrong element is widened", "terms.clh", "(float)x.s2", "(float)x.s1", "size:"),
        change("fast: a wrong element is rounded", "terms.clh", "(half)x.s3)", "(half)x.s2)", "size:"),
        change(
            "fast: halves of six bits", "terms.clh",
            "return (half4)((half)x.s0, (half)x.s1, (half)x.s2, (half)x.s3);",
            "return as_half4(as_short4((half4)((half)x.s0, (half)x.s1, (half)x.s2, (half)x.s3)) & (short4)(0xFFE0));",
            "size:"),
        change("fast: infinite halves taken for numbers", "terms.clh", "((short)0x7C00)", "((short)0x7F80)", "poison"),
        change(
            "fast: an excluded key's value counts", "tile_values.clh", "TERM_BITS(weight) < (term_ints)(0))",
            "(term_ints)(0))", "poison"),
    ].map { mutation in
        var fast = mutation
        fast.kernel = "flash_tiled"
        fast.precision = .fast
        fast.needsBarriers = true
        return fast
    }
}
