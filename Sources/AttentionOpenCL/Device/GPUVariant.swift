import KernelCalls

/// Kernels as a GPU may get them: for offline compilers, which need no GPU (`make gpu-check`).
public struct GPUVariant: Sendable {
    /// The entry point, which is the file's name too.
    public let kernel: String
    /// What it is for, in a few words.
    public let purpose: String
    /// Work-items of a work-group.
    public let group: Int
    /// Local memory of a work-group, in bytes.
    public let localBytes: Int
    /// Macros, as NAME=VALUE.
    public let definitions: [String]

    /// Every row of tiles that a GPU may take, in each storage. Sizes of sub-groups are the compiler's business.
    public static var all: [GPUVariant] { tiled + split + merge + linear + additive + rows }

    private static let storages: [KernelStorage] = [.f32, .f16, .bf16]

    private static var tiled: [GPUVariant] {
        [false, true].flatMap { tiled(hasHalfProducts: $0) }
    }

    private static func tiled(hasHalfProducts: Bool) -> [GPUVariant] {
        let rows = TiledTiles.table(hasHalfProducts: hasHalfProducts)
        return rows.filter { $0.group >= TiledTiles.smallestGPUGroup }.flatMap { tiles in
            storages.flatMap { storage in
                [false, true].map { hasMask in
                    let vectors = tiles.mostValueVectors
                    let kernel = TiledKernel(
                        query: storage, value: storage, hasMask: hasMask, hasShuffles: true, fuses: true,
                        subGroups: SubGroups(),
                        valueVectors: vectors, tiles: tiles)
                    return GPUVariant(
                        .tiled(kernel), group: tiles.group, localBytes: tiles.localBytes(valueVectors: vectors),
                        "\(tiles.tileQ) × \(tiles.tileK) × \(tiles.columns(vectors)), \(storage)\(hasMask ? ", mask" : "")"
                            + (hasHalfProducts ? ", fast" : "")
                    )
                }
            }
        }
    }

    private static var split: [GPUVariant] {
        SplitTiles.table.filter { $0.items >= TiledTiles.smallestGPUGroup }.flatMap { tiles in
            storages.flatMap { storage in
                [1, 2, 4].map { rows in
                    let step = SplitKernel.Step.split(
                        tiles: tiles, value: storage, rows: rows, columnItems: 16, hasMask: true)
                    return GPUVariant(
                        .split(SplitKernel(step: step, query: storage, fuses: true)), group: tiles.items,
                        localBytes: tiles.localBytes(rows: rows), "\(rows) × \(tiles.items), \(storage), mask")
                }
            }
        }
    }

    private static var merge: [GPUVariant] {
        storages.map { storage in
            GPUVariant(
                .split(SplitKernel(step: .merge(items: 32), query: storage, fuses: true)), group: 32, localBytes: 0,
                "32 work-items, \(storage)")
        }
    }

    private static var linear: [GPUVariant] {
        storages.flatMap { storage -> [GPUVariant] in
            let large = GroupTiles.table.filter { $0.group >= TiledTiles.smallestGPUGroup }.map { tiles in
                GPUVariant(
                    .layer(.linearTiled(tiles: tiles, weight: storage, fuses: true, subGroup: nil)), group: tiles.group,
                    localBytes: tiles.localBytes, "\(tiles.tileM) × \(tiles.tileN), \(storage)")
            }
            let few = [1, 2, 4, 8].compactMap { FewRowTiles.rows($0, largestGroup: .max, localBytes: .max).first }
            return large
                + few.map { tiles in
                    GPUVariant(
                        .layer(.linearFew(tiles: tiles, weight: storage, fuses: true, subGroup: nil)),
                        group: tiles.group, localBytes: tiles.localBytes, "\(tiles.rows) × \(tiles.columns), \(storage)"
                    )
                }
        }
    }

    private static var additive: [GPUVariant] {
        let group = AdditiveTiles.groups[0]
        return [1, 4].map { lanes in
            GPUVariant(
                .layer(.additiveTiled(items: group, lanes: lanes, fuses: true, subGroup: nil)), group: group,
                localBytes: AdditiveTiles.localBytes(group: group, lanes: lanes), "\(lanes) × \(group)")
        }
    }

    /// Steps that go row by row.
    private static var rows: [GPUVariant] {
        let items = TiledTiles.smallestGPUGroup
        let steps: [(LayerKernel.RowStep, numbers: Int)] = [
            (.normalization, 1), (.embedding, 0), (.rotary, 0), (.pooling, 1), (.selection, 3),
        ]
        return steps.map { step, numbers in
            GPUVariant(
                .layer(.rows(step, lanes: 1, items: items, fuses: true)), group: items, localBytes: 4 * items * numbers,
                "\(items) work-items to a row")
        }
            + [1, 2, 4, 8].map { size in
                GPUVariant(
                    .layer(.copy(elementBytes: size, items: items)), group: items, localBytes: 0,
                    "\(items) work-items, elements of \(size) bytes")
            }
    }

    private init(_ kernel: KernelVariant, group: Int, localBytes: Int, _ purpose: String) {
        self.kernel = kernel.name
        self.purpose = purpose
        self.group = group
        self.localBytes = localBytes
        definitions = kernel.definitions.map { "\($0.name)=\($0.value.text)" }
    }
}
