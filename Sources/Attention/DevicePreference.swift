/// Which device a caller wants.
public enum DevicePreference: Hashable, Sendable, CustomStringConvertible {
    /// The first usable GPU, else the best CPU device through OpenCL, else the processor natively.
    case automatic
    /// An OpenCL GPU.
    case gpu
    /// An OpenCL CPU device.
    case cpu
    /// The processor without OpenCL.
    case native
    /// Plain loops in `Double`: slow, and right.
    case reference
    /// By the order in which the loader lists platforms and devices.
    case openCL(platform: Int, device: Int)
    /// A part of a platform's or a device's name, whatever its case.
    case named(String)

    /// Reads `auto`, `gpu`, `cpu`, `native`, `reference`, `opencl:P.D`, or a part of a name.
    public init(_ text: String) {
        switch text.lowercased() {
        case "auto", "automatic": self = .automatic
        case "gpu": self = .gpu
        case "cpu": self = .cpu
        case "native": self = .native
        case "reference": self = .reference
        case let lowered:
            let parts = lowered.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let places = parts.count == 2 ? parts[1].split(separator: ".", omittingEmptySubsequences: false) : []
            if parts[0] == "opencl", places.count == 2, let platform = Int(places[0]), let device = Int(places[1]),
                platform >= 0, device >= 0
            {
                self = .openCL(platform: platform, device: device)
            } else {
                self = .named(text)
            }
        }
    }

    public var description: String {
        switch self {
        case .automatic: "auto"
        case .gpu: "gpu"
        case .cpu: "cpu"
        case .native: "native"
        case .reference: "reference"
        case .openCL(let platform, let device): "opencl:\(platform).\(device)"
        case .named(let name): name
        }
    }

    /// True if `device` is one that was asked for.
    func accepts(_ device: DeviceDescription) -> Bool {
        switch self {
        case .automatic: true
        case .gpu: device.kind == .gpu
        case .cpu: device.kind == .cpu
        case .native: device.kind == .native
        case .reference: device.kind == .reference
        case .openCL: device.selector == description
        case .named(let part):
            device.name.lowercased().contains(part.lowercased())
                || device.platform.lowercased().contains(part.lowercased())
        }
    }
}
