/// Which devices of a group take part in one call, and what became of them.
struct SharingCall {
    private let group: SharingBackend
    private var visits: [Int: RestKeeper.Visit] = [:]
    private var resting: [Int: DeviceRest] = [:]
    /// Devices that failed, in that order.
    private(set) var errors: [(device: Int, error: AttentionError)] = []

    init(_ group: SharingBackend) {
        self.group = group
        for (index, member) in group.members.enumerated() {
            switch member.enter() {
            case .go(let visit): visits[index] = visit
            case .rest(let rest): resting[index] = rest
            }
        }
    }

    /// Those that are there, in the order of the group.
    var devices: [Int] { visits.keys.sorted() }

    var firstError: AttentionError? { errors.first?.error }

    /// A device failed: it takes no part any more.
    mutating func fail(_ device: Int, _ error: AttentionError) {
        errors.append((device, error))
        guard let visit = visits.removeValue(forKey: device) else { return }
        group.members[device].leave(visit, .failed(error))
    }

    /// Lets those in that rest: a rest saves time and must not cost the result. False if there are none.
    mutating func wake(except excluded: Set<Int>) -> Bool {
        let sleepers = resting.keys.filter { !excluded.contains($0) }
        for device in sleepers {
            resting[device] = nil
            if case .go(let visit) = group.members[device].enter(heedsRest: false) { visits[device] = visit }
        }
        return !sleepers.isEmpty
    }

    /// The call is over. What it says of the devices still in it is `outcome`.
    mutating func finish(_ outcome: RestKeeper.Outcome, of devices: Set<Int>? = nil) {
        for (device, visit) in visits {
            let took = devices?.contains(device) ?? true
            group.members[device].leave(visit, took ? outcome : .planned)
        }
        visits = [:]
    }

    /// Who failed or rests, in the order of the group.
    var failures: [RunReport.Failure] {
        let failed = errors.map { ($0.device, "\($0.error)", false) }
        let asleep = resting.map { ($0.key, "\($0.value)", true) }
        return (failed + asleep).sorted { $0.0 < $1.0 }
            .map { RunReport.Failure(device: group.members[$0.0].name, reason: $0.1, isResting: $0.2) }
    }
}
