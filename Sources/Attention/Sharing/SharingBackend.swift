/// Several devices as one: each call is cut into shares, which they compute at once.
///
/// Memory of its own is the host's: it is what all of them reach.
final class SharingBackend: Backend {
    /// The time by the clock of one device: that of the machine, unless a test has its own.
    typealias Clock = @Sendable (_ device: Int) -> ContinuousClock.Instant

    let device: DeviceDescription
    let members: [SharingMember]
    let speeds = SpeedTable()
    let rule: CutAxis.Rule
    let clock: Clock

    init(
        _ devices: [Device], rule: CutAxis.Rule = CutAxis.environmentRule, clock: @escaping Clock = { _ in .now }
    ) {
        members = devices.map(SharingMember.init)
        self.rule = rule
        self.clock = clock
        let all = devices.map(\.description)
        var platforms: [String] = []
        for platform in all.map(\.platform) where !platforms.contains(platform) { platforms.append(platform) }
        device = DeviceDescription(
            selector: all.map(\.selector).joined(separator: "+"), name: all.map(\.name).joined(separator: " + "),
            platform: platforms.joined(separator: " + "), kind: .group)
    }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        try SharingPlan(problem, policy, self)
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try HostStorage(byteCount: byteCount)
    }

    var statistics: BackendStatistics {
        members.map(\.device.backend.statistics).reduce(into: BackendStatistics()) { sum, one in
            sum.programs += one.programs
            sum.idleScratchBytes += one.idleScratchBytes
        }
    }

    func releaseMemory() { for member in members { member.releaseMemory() } }

    // Steps of layers are not shared: the first device computes them.
    var layerFamily: String? { members[0].device.backend.layerFamily }

    func useLayers(ofFamily family: String?) throws(AttentionError) {
        try members[0].device.backend.useLayers(ofFamily: family)
    }

    func prepare(weight: Tensor) throws(AttentionError) -> any PreparedWeight {
        try members[0].device.backend.prepare(weight: weight)
    }

    func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError) {
        try members[0].device.backend.perform(operation, control)
    }

    func sequence<Result>(_ body: () throws(AttentionError) -> Result) throws(AttentionError) -> Result {
        try members[0].device.backend.sequence(body)
    }
}
