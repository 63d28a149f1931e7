import Attention

/// Every device there is, in the order in which `auto` tries them.
struct Catalogue {
    let candidates: [BackendCandidate]
    /// Platforms that show no device, and why.
    let problems: [CallFallback]

    init() {
        var problems: [(from: String, reason: String)] = []
        let devices = BackendCandidates.openCL(problems: &problems)
        // GPUs, then accelerators, then processors; within a kind as the platforms come.
        let ranks: [DeviceDescription.Kind: Int] = [.gpu: 0, .accelerator: 1, .cpu: 2]
        let order = devices.indices.sorted {
            (ranks[devices[$0].description.kind, default: 3], $0) < (
                ranks[devices[$1].description.kind, default: 3], $1
            )
        }
        candidates = order.map { devices[$0] } + [BackendCandidates.reference]
        self.problems = problems.map { CallFallback(from: $0.from, reason: $0.reason) }
    }

    /// Why there is no native path.
    static let nativeReason = "this version has no native path"

    /// The candidates that `selector` names, best first.
    ///
    /// - Throws: ``CommandFailure`` of status 69 if there is none.
    func matching(_ selector: String) throws -> [BackendCandidate] {
        let found: [BackendCandidate]
        switch selector {
        case "auto": found = candidates
        case "all": found = candidates.filter { $0.description.kind != .reference && $0.unsuitableReason == nil }
        case "gpu": found = candidates.filter { $0.description.kind == .gpu }
        case "cpu": found = candidates.filter { $0.description.kind == .cpu }
        case "reference": found = [BackendCandidates.reference]
        case "native": throw missing(selector, Self.nativeReason)
        default:
            let exact = candidates.filter { $0.description.selector == selector }
            let text = selector.lowercased()
            let named = candidates.filter {
                $0.description.name.lowercased().contains(text) || $0.description.platform.lowercased().contains(text)
            }
            found = exact.isEmpty && !selector.hasPrefix("opencl:") ? named : exact
        }
        guard !found.isEmpty else {
            let names = candidates.map { "\($0.description.selector) (\($0.description.name))" }
            throw missing(selector, "there are \(names.joined(separator: ", "))")
        }
        return found
    }

    private func missing(_ selector: String, _ reason: String) -> CommandFailure {
        CommandFailure(.unavailable, "--device: expected a device that is here, found '\(selector)': \(reason)")
    }
}
