import AttentionNative
import AttentionReference

/// The way from a preference to an open device.
///
/// Platforms are looked at in the loader's order and no further than needed: listing one can take a third of a second.
struct DeviceSelection {
    /// An open device, and why it was chosen.
    typealias Choice = (backend: any Backend, reason: String)

    private let source: any DeviceSource
    var skipped: [SkippedDevice] = []
    /// Never chosen.
    private let excluded: String?

    /// `excluded` is the selector of a device that another is wanted for.
    init(_ source: any DeviceSource, without excluded: String? = nil) {
        self.source = source
        self.excluded = excluded
    }

    mutating func open(_ preference: DevicePreference) throws(AttentionError) -> Choice {
        switch preference {
        case .automatic: return try automatic()
        case .gpu:
            if let choice = scan(preference, stop: { _ in true }) { return choice }
        case .cpu:
            if let choice = scan(preference, stop: \.isWide) { return choice }
        case .native:
            return (try NativeBackend(), "asked for")
        case .reference: return (ReferenceBackend(), "asked for")
        case .openCL(let platform, _): return try indexed(platform, preference)
        case .openCLPart(let platform, let device, let part, let count):
            return try divided(.openCL(platform: platform, device: device), platform, part: part, of: count, preference)
        case .group(let members): return try group(members, preference)
        case .named(let text):
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw .noDevice(requested: text, reason: "an empty name is nobody's")
            }
            if let choice = scan(preference, stop: { _ in true }) { return choice }
            // By their names alone: they have no platform.
            for candidate in [DeviceCandidate.native, .reference]
            where candidate.description.name.lowercased().contains(text.lowercased()) {
                return (try candidate.open(), "asked for by name")
            }
        }
        throw .noDevice(requested: preference.description, reason: whyNone("no device of that kind or name is there"))
    }

    /// The first usable GPU; else, of the CPU devices, one with wide vectors before others; else the processor natively.
    private mutating func automatic() throws(AttentionError) -> Choice {
        var processors: [DeviceCandidate] = []
        for platform in 0..<platformCount() {
            for candidate in usable(platform) {
                switch candidate.description.kind {
                case .gpu:
                    guard let backend = opened(candidate) else { continue }
                    pass(processors, "\(candidate.description.name) was taken, as GPUs come first")
                    return (backend, "the first usable GPU")
                case .cpu: processors.append(candidate)
                case .accelerator, .native, .reference, .group:
                    skip(candidate, "devices of kind \(candidate.description.kind) are used only when asked for")
                }
            }
        }
        if let (backend, isWide) = firstToOpen(processors) {
            return (backend, "no usable GPU; the first CPU device\(isWide ? " with wide vectors" : "")")
        }
        return (try NativeBackend(), "no usable OpenCL device")
    }

    /// The first wanted device that opens; those that do not satisfy `stop` wait until all platforms were looked at.
    private mutating func scan(_ preference: DevicePreference, stop: (DeviceCandidate) -> Bool) -> Choice? {
        var second: [DeviceCandidate] = []
        for platform in 0..<platformCount() {
            for candidate in list(platform) {
                guard preference.accepts(candidate.description) else {
                    skip(
                        candidate,
                        "'\(preference)' was asked for; this is a device of kind \(candidate.description.kind)")
                    continue
                }
                guard isUsable(candidate) else { continue }
                guard stop(candidate) else {
                    second.append(candidate)
                    continue
                }
                guard let backend = opened(candidate) else { continue }
                pass(second, "\(candidate.description.name) was taken, as its vectors are wider")
                return (backend, "the first usable device for '\(preference)'")
            }
        }
        return firstToOpen(second).map { ($0.backend, "the first usable device for '\(preference)'") }
    }

    private mutating func indexed(
        _ platform: Int, _ preference: DevicePreference
    ) throws(AttentionError) -> Choice {
        let requested = preference.description
        let candidate = try candidate(platform, preference)
        guard isUsable(candidate), let backend = opened(candidate) else {
            throw .noDevice(requested: requested, reason: whyNone("it cannot be used"))
        }
        return (backend, "asked for by its place")
    }

    /// The device at a place.
    mutating func candidate(
        _ platform: Int, _ preference: DevicePreference
    ) throws(AttentionError) -> DeviceCandidate {
        let requested = preference.description
        let count = platformCount()
        guard (0..<count).contains(platform) else {
            let reason = count > 0 ? "there are \(count) platforms, counted from 0" : whyNone("there is no platform")
            throw .noDevice(requested: requested, reason: reason)
        }
        let candidates = list(platform)
        guard let candidate = candidates.first(where: { preference.accepts($0.description) }) else {
            let reason = "platform \(platform) has \(candidates.count) devices, counted from 0"
            throw .noDevice(requested: requested, reason: candidates.isEmpty ? whyNone(reason) : reason)
        }
        return candidate
    }

    /// Opens one with wide vectors first, and otherwise in order.
    private mutating func firstToOpen(_ candidates: [DeviceCandidate]) -> (backend: any Backend, isWide: Bool)? {
        let ordered = candidates.filter(\.isWide) + candidates.filter { !$0.isWide }
        for (index, candidate) in ordered.enumerated() {
            guard let backend = opened(candidate) else { continue }
            for other in ordered[(index + 1)...] {
                let reason = other.isWide == candidate.isWide ? "it comes first" : "its vectors are wider"
                pass([other], "\(candidate.description.name) was taken, as \(reason)")
            }
            return (backend, candidate.isWide)
        }
        return nil
    }
}

// MARK: - Looking, with a note of everything that fails

extension DeviceSelection {
    private mutating func platformCount() -> Int {
        do { return max(0, try source.platformCount()) } catch {
            skip("opencl", "OpenCL", error.reason)
            return 0
        }
    }

    /// The devices of a platform; one that fails is passed over.
    private mutating func list(_ platform: Int) -> [DeviceCandidate] {
        do {
            let candidates = try source.candidates(platform: platform)
            if candidates.isEmpty { skip("opencl:\(platform)", "platform \(platform)", "it has no device") }
            return candidates
        } catch {
            skip("opencl:\(platform)", "platform \(platform)", error.reason)
            return []
        }
    }

    private mutating func usable(_ platform: Int) -> [DeviceCandidate] {
        var candidates: [DeviceCandidate] = []
        for candidate in list(platform) where isUsable(candidate) { candidates.append(candidate) }
        return candidates
    }

    mutating func isUsable(_ candidate: DeviceCandidate) -> Bool {
        let isExcluded = candidate.description.selector == excluded
        guard let reason = isExcluded ? "another was wanted for it" : candidate.unsuitableReason else { return true }
        skip(candidate, reason)
        return false
    }

    private mutating func opened(_ candidate: DeviceCandidate) -> (any Backend)? {
        do { return try candidate.open() } catch {
            skip(candidate, "it cannot be opened: \(error.reason)")
            return nil
        }
    }

    private mutating func pass(_ candidates: [DeviceCandidate], _ reason: String) {
        for candidate in candidates { skip(candidate, reason) }
    }

    private mutating func skip(_ candidate: DeviceCandidate, _ reason: String) {
        let d = candidate.description
        skip(d.selector, "\(d.name) (\(d.platform))", reason)
    }

    private mutating func skip(_ selector: String, _ name: String, _ reason: String) {
        // A second preference meets the same devices again: its reasons are the newer ones.
        skipped.removeAll { $0.selector == selector }
        skipped.append(SkippedDevice(selector: selector, name: name, reason: reason))
    }

    func whyNone(_ otherwise: String) -> String {
        skipped.isEmpty ? otherwise : "passed over: \(skipped.map(\.description).joined(separator: "; "))"
    }
}

extension DeviceCandidate {
    /// True if it reports wide vectors.
    var isWide: Bool { family == "wide" }
}

extension AttentionError {
    /// What went wrong, without who it was asked of where others say that already.
    var reason: String {
        switch self {
        case .noDevice(_, let reason), .unsupported(_, let reason): reason
        case .deviceFailed(_, let detail): detail
        case .invalid, .outOfMemory, .cancelled: description
        }
    }
}
