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
    /// One of `count` equal parts of an OpenCL device, counted from 0: a sub-device with its own share of the compute units.
    case openCLPart(platform: Int, device: Int, part: Int, of: Int)
    /// A part of a platform's or a device's name, whatever its case.
    case named(String)
    /// All of these, sharing each call; see ``Device/group(_:)``.
    indirect case group([DevicePreference])

    /// Reads `auto`, `gpu`, `cpu`, `native`, `reference`, `opencl:P.D`, its part `opencl:P.D/IofN`, or a part of a name; several with
    /// `+` between them are a group.
    public init(_ text: String) {
        let members = text.split(separator: "+").map { $0.trimmingSpaces }.filter { !$0.isEmpty }
        guard members.count < 2 else {
            self = .group(members.map { DevicePreference($0) })
            return
        }
        switch text.lowercased() {
        case "auto", "automatic": self = .automatic
        case "gpu": self = .gpu
        case "cpu": self = .cpu
        case "native": self = .native
        case "reference": self = .reference
        case let lowered:
            self = Self.place(lowered) ?? .named(text)
        }
    }

    /// `opencl:P.D` or `opencl:P.D/IofN`; `nil` for anything else.
    private static func place(_ text: String) -> DevicePreference? {
        guard text.hasPrefix("opencl:") else { return nil }
        let halves = text.dropFirst("opencl:".count).split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count <= 2, let (platform, device) = numbers(halves[0], ".") else { return nil }
        guard halves.count == 2 else { return .openCL(platform: platform, device: device) }
        guard let (part, count) = numbers(halves[1], "of"), part < count else { return nil }
        return .openCLPart(platform: platform, device: device, part: part, of: count)
    }

    /// Two numbers of 0 or more with `separator` between them.
    private static func numbers(_ text: Substring, _ separator: String) -> (Int, Int)? {
        guard let between = text.firstRange(of: separator) else { return nil }
        guard let first = Int(text[..<between.lowerBound]), let second = Int(text[between.upperBound...]), first >= 0,
            second >= 0
        else { return nil }
        return (first, second)
    }

    public var description: String {
        switch self {
        case .automatic: "auto"
        case .gpu: "gpu"
        case .cpu: "cpu"
        case .native: "native"
        case .reference: "reference"
        case .openCL(let platform, let device): "opencl:\(platform).\(device)"
        case .openCLPart(let platform, let device, let part, let count):
            "opencl:\(platform).\(device)/\(part)of\(count)"
        case .named(let name): name
        case .group(let members): members.map(\.description).joined(separator: "+")
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
        case .openCL, .openCLPart: device.selector == description
        case .named(let part):
            device.name.lowercased().contains(part.lowercased())
                || device.platform.lowercased().contains(part.lowercased())
        case .group(let members): members.contains { $0.accepts(device) }
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var rest = self
        while rest.first == " " { rest = rest.dropFirst() }
        while rest.last == " " { rest = rest.dropLast() }
        return String(rest)
    }
}
