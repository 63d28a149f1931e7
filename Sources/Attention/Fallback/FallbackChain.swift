import Locking

/// The devices that finish the calls of another one, each opened when it is first needed, and once.
final class FallbackChain: Sendable {
    /// Opens a device that was asked for: the one place to teach a new kind of device.
    typealias Open = @Sendable (DevicePreference) throws(AttentionError) -> any Backend

    private let open: Open
    private let now: RestKeeper.Now
    private let known = PerProcess { Guarded<[DevicePreference: Standby]>([:]) }

    init(now: @escaping RestKeeper.Now, open: @escaping Open) {
        self.open = open
        self.now = now
    }

    /// Devices of `source`, without the one of that selector.
    convenience init(
        besides selector: String, from source: any DeviceSource, now: @escaping RestKeeper.Now
    ) {
        self.init(now: now) { (preference) throws(AttentionError) in
            var selection = DeviceSelection(source, without: selector)
            return try selection.open(preference).backend
        }
    }

    /// The one for `preference`, the same each time.
    func standby(_ preference: DevicePreference) -> Standby {
        known.value.withLock { known in
            if let standby = known[preference] { return standby }
            let standby = Standby(preference, rest: RestKeeper(now: now), open)
            known[preference] = standby
            return standby
        }
    }

    func wake() {
        for standby in known.value.withLock({ Array($0.values) }) { standby.rest.wake() }
    }
}

/// One device that finishes the calls of another.
final class Standby: Sendable {
    let preference: DevicePreference
    let rest: RestKeeper
    let plans = PlanCache()
    private let open: FallbackChain.Open
    private let opened = Guarded<(any Backend)?>(nil)
    private let knownName: Guarded<String>

    init(_ preference: DevicePreference, rest: RestKeeper, _ open: @escaping FallbackChain.Open) {
        self.preference = preference
        self.rest = rest
        self.open = open
        knownName = Guarded(preference.description)
    }

    /// Its name, or what it was asked for by until it is open.
    var name: String { knownName.withLock { $0 } }

    /// Opens it unless it is open. Those that ask at the same time wait.
    func backend() throws(AttentionError) -> any Backend {
        try opened.withLock { (known) throws(AttentionError) in
            if let known { return known }
            let backend = try open(preference)
            known = backend
            knownName.withLock { $0 = backend.device.name }
            return backend
        }
    }

    /// False if no driver can be at work when it is opened.
    var mayBeDriver: Bool { preference != .native && preference != .reference }
}

extension DeviceDescription.Kind {
    /// Whether calls go through a driver, which may never answer. Our own code ends.
    var isDriver: Bool {
        switch self {
        case .gpu, .cpu, .accelerator, .group: true
        case .native, .reference: false
        }
    }
}
