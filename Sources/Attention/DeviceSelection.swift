/// A device that was passed over.
public struct SkippedDevice: Hashable, Sendable, CustomStringConvertible {
    /// Its name and platform, or the platform alone where its devices cannot be listed.
    public let name: String
    public let reason: String

    public var description: String { "\(name): \(reason)" }
}

/// The way from a preference to an open device.
///
/// Platforms are looked at in the loader's order and no further than needed: listing one can take a third of a second.
struct DeviceSelection {
    private let source: any DeviceSource
    private(set) var skipped: [SkippedDevice] = []

    init(_ source: any DeviceSource) { self.source = source }

    mutating func open(_ preference: DevicePreference) throws(AttentionError) -> any Backend {
        switch preference {
        case .reference: return try DeviceCandidate.reference.open()
        case .native:
            throw .noDevice(requested: "native", reason: "this version has no native path; 'reference' runs anywhere")
        case .automatic:
            if let best = bestDevice() { return best }
            skipped.append(SkippedDevice(name: "native", reason: "this version has no native path"))
            return try DeviceCandidate.reference.open()
        case .gpu, .cpu, .openCL, .named:
            if let device = try first(preference) { return device }
            if preference.accepts(DeviceCandidate.reference.description) { return try DeviceCandidate.reference.open() }
            let seen = skipped.map(\.description).joined(separator: "; ")
            throw .noDevice(
                requested: preference.description,
                reason: seen.isEmpty ? "no device of that kind or name is there" : "passed over: \(seen)")
        }
    }

    /// The first usable GPU; else, of the CPU devices, one with wide vectors before others.
    private mutating func bestDevice() -> (any Backend)? {
        var others: [DeviceCandidate] = []
        for platform in 0..<platformCount() {
            for candidate in candidates(platform) {
                if candidate.description.kind != .gpu {
                    others.append(candidate)
                } else if let device = opened(candidate) {
                    return device
                }
            }
        }
        let ordered = others.filter { $0.family == "wide" } + others.filter { $0.family != "wide" }
        for candidate in ordered {
            if let device = opened(candidate) { return device }
        }
        return nil
    }

    private mutating func first(_ preference: DevicePreference) throws(AttentionError) -> (any Backend)? {
        let count: Int
        do { count = try source.platformCount() } catch {
            throw .noDevice(requested: preference.description, reason: reason(error))
        }
        var platforms = 0..<count
        if case .openCL(let platform, _) = preference {
            guard platforms.contains(platform) else {
                throw .noDevice(requested: preference.description, reason: "there are \(count) platforms")
            }
            platforms = platform..<platform + 1
        }
        for platform in platforms {
            for candidate in candidates(platform) where preference.accepts(candidate.description) {
                if let device = opened(candidate) { return device }
            }
        }
        return nil
    }

    private mutating func platformCount() -> Int {
        do { return try source.platformCount() } catch {
            skipped.append(SkippedDevice(name: "OpenCL", reason: reason(error)))
            return 0
        }
    }

    /// The devices of a platform; one that fails is passed over.
    private mutating func candidates(_ platform: Int) -> [DeviceCandidate] {
        do { return try source.candidates(platform: platform) } catch {
            skipped.append(SkippedDevice(name: "platform \(platform)", reason: reason(error)))
            return []
        }
    }

    private mutating func opened(_ candidate: DeviceCandidate) -> (any Backend)? {
        let name = "\(candidate.description.name) (\(candidate.description.platform))"
        if let reason = candidate.unsuitableReason {
            skipped.append(SkippedDevice(name: name, reason: reason))
            return nil
        }
        do { return try candidate.open() } catch {
            skipped.append(SkippedDevice(name: name, reason: reason(error)))
            return nil
        }
    }

    private func reason(_ error: AttentionError) -> String {
        if case .noDevice(_, let reason) = error { return reason }
        return error.description
    }
}
