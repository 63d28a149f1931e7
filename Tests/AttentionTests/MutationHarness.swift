import Attention
import AttentionCore

/// One change to a kernel's text that makes it wrong.
struct KernelMutation: Sendable, CustomStringConvertible {
    /// What the change breaks.
    let name: String
    /// The file, as the kernel sources name it.
    let file: String
    /// Text that stands in the file exactly once.
    let find: String
    let replace: String
    /// Parts of case ids that are likely to show it; they run first.
    var hints: [String] = []
    /// The kernel family to run, where the device would choose another.
    var family: String?
    /// The kernel to run; `nil` for steps of layers.
    var kernel: String? = "staged"
    /// The step of layers that runs it: `linear`.
    var step: String?
    /// Tile sizes to run it with, where its own do not show it.
    var tiles: [String: Int] = [:]
    /// Needs a device whose work-items run on until they meet a barrier: PoCL's wait for each other at the ends of loops as well,
    /// and its compiler takes minutes for work-groups with many barriers.
    var needsBarriers = false
    /// What the kernel is asked for.
    var precision = Precision.standard
    /// Needs a device with sub-groups whose work-items exchange numbers.
    var needsSubGroups = false

    var description: String { name }

    /// The file's text with the change in it.
    ///
    /// - Throws: ``MutationFailure/wrongCount(mutation:found:)`` unless there is exactly one place for it.
    func applied(to text: String) throws -> String {
        let places = text.ranges(of: find)
        guard places.count == 1, let place = places.first else {
            throw MutationFailure.wrongCount(mutation: name, found: places.count)
        }
        var changed = text
        changed.replaceSubrange(place, with: replace)
        return changed
    }
}

/// Why a mutation says nothing about the verification.
enum MutationFailure: Error, CustomStringConvertible {
    case wrongCount(mutation: String, found: Int)
    case unknownFile(String)

    var description: String {
        switch self {
        case .wrongCount(let mutation, let found):
            "the text of '\(mutation)' stands \(found) times in its file, not once"
        case .unknownFile(let file): "there is no kernel source '\(file)'"
        }
    }
}

/// Builds mutants on a device and sees whether a verification catches them.
struct MutationHarness: Sendable {
    /// A kernel source by its name; `nil` if there is none.
    let text: @Sendable (String) -> String?
    /// The device with some sources replaced.
    let makeBackend: @Sendable ([String: String]) throws -> any Backend
    var policy = PlanPolicy()

    /// How a mutant fared.
    enum Verdict: Sendable, CustomStringConvertible {
        case caught(VerificationFailure, cases: Int)
        /// Wrong, and nobody noticed: a hole in the verification.
        case survived(cases: Int)
        /// It did not even build or run, so it shows nothing.
        case broken(String)

        var description: String {
            switch self {
            case .caught(let failure, let cases): "caught by \(failure.gate) after \(cases) cases: \(failure.id)"
            case .survived(let cases): "SURVIVED \(cases) cases"
            case .broken(let reason): "broken: \(reason)"
            }
        }
    }

    func verdict(_ mutation: KernelMutation, seed: UInt64 = 1) throws -> Verdict {
        guard let original = text(mutation.file) else { throw MutationFailure.unknownFile(mutation.file) }
        let backend = try makeBackend([mutation.file: try mutation.applied(to: original)])
        var options = VerificationOptions(cases: .quick, seed: seed, policy: policy)
        options.stopsAtFirstFailure = true
        options.firstCases = mutation.hints
        // Calls that are refused on the host never see a kernel.
        options.attentionOnly = mutation.step == nil
        options.filter = mutation.step.map { "layer:\($0):" }
        let report = try Verifier.run(backend: backend, options)
        guard let failure = report.failures.first else { return .survived(cases: report.cases - report.skipped) }
        // A kernel that does not compile says nothing about the cases.
        if failure.gate == "error" { return .broken(failure.detail) }
        return .caught(failure, cases: report.cases)
    }
}
