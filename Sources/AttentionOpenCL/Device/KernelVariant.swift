import OpenCLRuntime

/// A kernel with all that its text is compiled with. Two equal ones are the same program.
enum KernelVariant: Hashable, Sendable {
    case staged(StagedKernel)
    case flash(FlashKernel)
    case decode(DecodeKernel)
    case tiled(TiledKernel)
    case split(SplitKernel)
    /// Copies rows of elements of a size in bytes: see concatenate.cl.
    case concatenate(elementBytes: Int)
    case loop(MeasuringKernel)
    case layer(LayerKernel)

    /// The entry point, which is the file's name too.
    var name: String {
        switch self {
        case .staged(let kernel): kernel.name
        case .flash: "flash_wide"
        case .decode(let kernel): kernel.name
        case .tiled: "flash_tiled"
        case .split(let kernel): kernel.name
        case .concatenate: "concatenate"
        case .loop(let kernel): kernel.name.rawValue
        case .layer(let kernel): kernel.name
        }
    }

    /// The macros the text is compiled with.
    var definitions: [(name: String, value: BuildOptions.Value)] {
        switch self {
        case .staged(let kernel): kernel.definitions
        case .flash(let kernel): kernel.definitions
        case .decode(let kernel): kernel.definitions
        case .tiled(let kernel): kernel.definitions
        case .split(let kernel): kernel.definitions
        case .concatenate(let elementBytes): [("ELEMENT", .identifier(elementBytes == 2 ? "ushort" : "uint"))]
        case .loop(let kernel): kernel.definitions
        case .layer(let kernel): kernel.definitions
        }
    }
}

/// A loop that measures a device: see Kernels/bench.
struct MeasuringKernel: Hashable, Sendable {
    enum Name: String, Hashable, Sendable {
        case peak, stream
    }

    let name: Name
    let lanes: Int
    /// Independent sums of `peak`, and whether its multiply-adds are fused.
    let sums: Int
    let fuses: Bool

    var definitions: [(name: String, value: BuildOptions.Value)] {
        let width: (name: String, value: BuildOptions.Value) = ("LANES", .integer(Int64(lanes)))
        guard name == .peak else { return [width] }
        return [width, ("SUMS", .integer(Int64(sums))), ("FUSES", .integer(fuses ? 1 : 0))]
    }
}
