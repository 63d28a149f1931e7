import AttentionNative
import AttentionOpenCL
import AttentionReference

/// A device that could be chosen, before anything of it is opened.
public struct DeviceCandidate: Sendable {
    public let description: DeviceDescription
    /// The kernel family it calls for: `wide` or `tiled`; `nil` where there is no choice.
    public let family: String?
    /// Why it cannot be used; `nil` if it can.
    public let unsuitableReason: String?
    /// What it reports, by name.
    public let limits: [(name: String, value: Limit)]
    let open: @Sendable () throws(AttentionError) -> any Backend
    /// Opens one of several equal parts: its number, how many there are, and its selector. `nil` for what has none.
    let openPart: (@Sendable (Int, Int, String) throws(AttentionError) -> any Backend)?

    /// One thing that a device reports.
    public typealias Limit = OpenCLCandidate.Limit

    init(
        description: DeviceDescription, family: String? = nil, unsuitableReason: String? = nil,
        limits: [(name: String, value: Limit)] = [],
        openPart: (@Sendable (Int, Int, String) throws(AttentionError) -> any Backend)? = nil,
        open: @escaping @Sendable () throws(AttentionError) -> any Backend
    ) {
        self.description = description
        self.family = family
        self.unsuitableReason = unsuitableReason
        self.limits = limits
        self.open = open
        self.openPart = openPart
    }

    /// What self-tests found about this device with its present driver, sorted by kernel; empty for what has no compiler.
    public func verdicts(in cache: KernelCache = .standard) -> [KernelVerdict] {
        guard case .text(let driver)? = limits.first(where: { $0.name == "driver" })?.value else { return [] }
        return cache.verdicts(platform: description.platform, device: description.name, driver: driver)
    }

    /// The processor without OpenCL, with what the environment variable of `InstructionSet` asks for.
    static var native: DeviceCandidate {
        do throws(AttentionError) {
            let backend = try NativeBackend()
            let limits: [(name: String, value: Limit)] = [
                ("instruction_set", .text(backend.instructionSet.rawValue)),
                ("instruction_sets", .text(InstructionSet.available.map(\.rawValue).joined(separator: ", "))),
                ("threads", .number(backend.threads)),
            ]
            return DeviceCandidate(description: backend.device, family: "wide", limits: limits) {
                () throws(AttentionError) in backend
            }
        } catch {
            let description = DeviceDescription(selector: "native", name: "native", platform: "none", kind: .native)
            return DeviceCandidate(description: description, unsuitableReason: error.reason) {
                () throws(AttentionError) in throw error
            }
        }
    }

    /// The definition itself, which runs everywhere.
    static var reference: DeviceCandidate {
        DeviceCandidate(description: ReferenceBackend().device) { () throws(AttentionError) in ReferenceBackend() }
    }
}

/// Where OpenCL devices come from; tests give their own.
protocol DeviceSource: Sendable {
    func platformCount() throws(AttentionError) -> Int
    func candidates(platform: Int) throws(AttentionError) -> [DeviceCandidate]
}

/// The drivers of this machine.
struct OpenCLSource: DeviceSource {
    func platformCount() throws(AttentionError) -> Int { try OpenCLDiscovery.platformCount() }

    func candidates(platform: Int) throws(AttentionError) -> [DeviceCandidate] {
        try OpenCLDiscovery.candidates(platform: platform).map { candidate in
            DeviceCandidate(
                description: candidate.description, family: candidate.family,
                unsuitableReason: candidate.unsuitableReason, limits: candidate.limits,
                openPart: { (part, count, selector) throws(AttentionError) in
                    try candidate.makeBackend(
                        part: part, of: count, selector: selector, examiner: SelfTest.examiner)
                }
            ) { () throws(AttentionError) in try candidate.makeBackend(examiner: SelfTest.examiner) }
        }
    }
}
