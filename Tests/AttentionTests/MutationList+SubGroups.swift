/// Wrong kernels whose work-items exchange numbers within sub-groups, by either extension.
extension KernelMutation {
    static let subGroups: [KernelMutation] = [1, 2].flatMap { exchange in
        [
            (
                "flash_tiled", "largest of too few", "tile_rows.clh", "const lanes other = exchanged(x[i], n);",
                "const lanes other = x[i];"
            ),
            (
                "flash_tiled", "sum of too few", "tile_rows.clh", "x[i] += exchanged(x[i], n);",
                "if (n > 1)\n                x[i] += exchanged(x[i], n);"
            ),
            (
                "flash_tiled", "sum of wrong neighbours", "sub_groups.clh", "EXCHANGED_FLOAT(x.s1, n)",
                "EXCHANGED_FLOAT(x.s1, n ^ 1)"
            ),
            (
                "decode_split", "of too few", "reduce.clh", "n < NEIGHBOURS(ITEMS); n *= 2",
                "n < NEIGHBOURS(ITEMS) / 2; n *= 2"
            ),
            ("decode_split", "of wrong neighbours", "reduce.clh", "EXCHANGED_FLOAT(a, n)", "EXCHANGED_FLOAT(a, 1)"),
        ].map { (kernel: String, name, file, find, replace) in
            KernelMutation(
                name: "sub-groups: \(kernel), \(name) (\(exchange))", file: file, find: find, replace: replace,
                hints: ["size:"], kernel: kernel, tiles: ["SUB_GROUP": 8, "EXCHANGE": exchange], needsBarriers: true,
                needsSubGroups: true)
        }
    }
}
