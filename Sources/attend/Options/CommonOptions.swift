import ArgumentParser
import Attention

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print one JSON object on standard output, and nothing else there.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Where to compute.",
            discussion: """
                auto (the best GPU, else the best CPU device, else native), gpu, cpu, native (without OpenCL), reference, \
                opencl:P.D by index, opencl:P.D/IofN for one of N equal parts of it, or a part of a platform's or device's \
                name; several with + between them share each call; all, for conform and verify.
                """, valueName: "sel"))
    var device = "auto"

    @Option(
        help: ArgumentHelp("The most threads that native code may use; OpenCL devices use their own.", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("The instruction set of native code: v4, v3 or baseline.", valueName: "set"))
    var isa: InstructionSet?

    @Option(
        help: ArgumentHelp(
            "Who goes on when the device fails during the work.",
            discussion: """
                automatic (native code, then the reference), never, or devices in their order: gpu, cpu, \
                native, reference or opencl:P.D, with commas between them.
                """, valueName: "automatic|never|list"))
    var fallback = FallbackOption(policy: .automatic)

    mutating func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads: expected 1 or more, found \(threads)") }
        if device.isEmpty { throw ValidationError("--device: expected a device, found nothing") }
    }
}

extension InstructionSet: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

/// Which family of kernels may be used: for attention, and for steps of layers.
struct FamilyOption: ParsableArguments {
    @Option(help: ArgumentHelp("Use kernels of this family, wide or tiled, on a device that would choose the other."))
    var forceFamily: Family?

    enum Family: String, ExpressibleByArgument, CaseIterable { case wide, tiled }

    var name: String? { forceFamily?.rawValue }
}

/// Which kernels may be used.
struct KernelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Use this kernel, whatever the plan would choose: staged, flash_wide, decode_wide …", valueName: "name"))
    var kernel: String?

    @OptionGroup var family: FamilyOption

    @Option(
        help: ArgumentHelp(
            "Tile sizes of the kernel that --kernel names, as in ITEMS_Q=8,ITEMS_C=16.", valueName: "name=n,…"))
    var tiles: TileSizes?

    @Option(
        help: ArgumentHelp(
            "What products are computed in: standard is float at least; fast may be half, within a looser bound.",
            discussion: "fast is for devices with cl_khr_fp16 and kernels by work-groups; others refuse it, status 69.")
    )
    var precision = Precision.standard

    mutating func validate() throws {
        if tiles != nil, kernel == nil {
            throw ValidationError("--tiles: expected together with --kernel, found without")
        }
    }

    /// Whether nothing is asked for that a device may not have.
    var leavesChoice: Bool { kernel == nil && precision == .standard }

    var policy: PlanPolicy {
        PlanPolicy(
            kernel: kernel, family: family.name, tiles: tiles?.sizes ?? [:], precision: precision)
    }
}

/// Tile sizes by name.
struct TileSizes: ExpressibleByArgument {
    let sizes: [String: Int]

    init?(argument: String) {
        var sizes: [String: Int] = [:]
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty, let size = Int(sides[1]) else { return nil }
            guard sizes.updateValue(size, forKey: String(sides[0])) == nil else { return nil }
        }
        self.sizes = sizes
    }
}
