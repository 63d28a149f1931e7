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
                opencl:P.D by index, or a part of a platform's or device's name; all, for conform and verify.
                """, valueName: "sel"))
    var device = "auto"

    @Option(
        help: ArgumentHelp("The most threads that native code may use; OpenCL devices use their own.", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("The instruction set of native code: v4, v3 or baseline.", valueName: "set"))
    var isa: InstructionSet?

    @Option(
        help: ArgumentHelp(
            "What to do when a device fails during the work.",
            discussion: """
                automatic (go on natively, then on the reference), never, or the devices to go on with: gpu, cpu, native, \
                reference or opencl:P.D, with commas between them.
                """, valueName: "policy"))
    var fallback = FallbackPolicy.automatic

    mutating func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads: expected 1 or more, found \(threads)") }
        if device.isEmpty { throw ValidationError("--device: expected a device, found nothing") }
    }
}

extension InstructionSet: ExpressibleByArgument {}

extension FallbackPolicy: ExpressibleByArgument {
    /// Reads `automatic`, `never`, or a list of devices. Parts of names are no devices here: a misspelt policy would be one.
    public init?(argument: String) {
        switch argument {
        case "automatic": self = .automatic
        case "never": self = .never
        default:
            let preferences = argument.split(separator: ",", omittingEmptySubsequences: false)
                .map { DevicePreference(String($0)) }
            for preference in preferences {
                switch preference {
                case .gpu, .cpu, .native, .reference, .openCL: continue
                case .automatic, .named: return nil
                }
            }
            self = .ordered(preferences)
        }
    }

    public var defaultValueDescription: String {
        switch self {
        case .automatic: "automatic"
        case .never: "never"
        case .ordered(let preferences): preferences.map(\.description).joined(separator: ",")
        }
    }
}

/// Which kernels may be used.
struct KernelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Use this kernel, whatever the plan would choose: staged, flash_wide, decode_wide …", valueName: "name"))
    var kernel: String?

    @Option(help: ArgumentHelp("Use kernels of this family, wide or tiled, on a device that would choose the other."))
    var forceFamily: Family?

    enum Family: String, ExpressibleByArgument, CaseIterable { case wide, tiled }

    var policy: PlanPolicy { PlanPolicy(kernel: kernel, family: forceFamily?.rawValue) }
}
