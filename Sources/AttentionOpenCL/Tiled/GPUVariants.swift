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

    /// Every row of tiles that a GPU may take, each with and without a mask, in each storage. Sizes of sub-groups are the
    /// compiler's business.
    public static var all: [GPUVariant] {
        let storages: [KernelStorage] = [.f32, .f16, .bf16]
        return TiledTiles.table.filter { $0.group >= TiledTiles.smallestGPUGroup }.flatMap { tiles in
            storages.flatMap { storage in
                [false, true].map { hasMask in GPUVariant(tiles, storage, hasMask: hasMask) }
            }
        }
    }

    private init(_ tiles: TiledTiles, _ storage: KernelStorage, hasMask: Bool) {
        let kernel = TiledKernel(
            query: storage, value: storage, hasMask: hasMask, hasShuffles: true, fuses: true, subGroup: nil,
            valueVectors: tiles.mostValueVectors, tiles: tiles)
        self.kernel = TiledKernels.name
        purpose =
            "\(tiles.tileQ) × \(tiles.tileK) × \(tiles.columns(tiles.mostValueVectors)), \(storage)\(hasMask ? ", mask" : "")"
        group = tiles.group
        localBytes = tiles.localBytes(valueVectors: tiles.mostValueVectors)
        definitions = kernel.definitions.map { "\($0.name)=\($0.value.text)" }
    }
}
