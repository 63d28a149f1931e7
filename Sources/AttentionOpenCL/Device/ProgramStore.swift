import OpenCLRuntime
import Locking

/// The programs of one context, by what they were compiled with, so that a plan finds one without touching its text.
final class ProgramStore: Sendable {
    private let context: Context
    private let text: KernelText
    private let cache: ProgramCache
    private let known = Guarded<[KernelVariant: Program]>([:])

    init(context: Context, text: KernelText, cache: ProgramCache) {
        self.context = context
        self.text = text
        self.cache = cache
    }

    /// How many there are.
    var count: Int { known.withLock { $0.count } }

    /// The program of `kernel`, and how it came to be.
    ///
    /// Who asks at the same time as another waits for the one build, which the cache sees to.
    func program(_ kernel: KernelVariant) throws(OpenCLError) -> (Program, BuildOutcome) {
        if let program = known.withLock({ $0[kernel] }) { return (program, .inMemory) }
        let (program, outcome) = try cache.program(
            source(kernel), options: try BuildOptions(definitions: kernel.definitions), in: context)
        known.withLock { $0[kernel] = program }
        return (program, outcome)
    }

    /// What the program of `kernel` is known by, built or not.
    func key(_ kernel: KernelVariant) throws(OpenCLError) -> CacheKey {
        CacheKey(
            device: context.device, flags: try BuildOptions(definitions: kernel.definitions).flags,
            source: try source(kernel).digest)
    }

    /// What the text of a kernel is known by, its headers included.
    func digest(ofKernel name: String) throws(OpenCLError) -> String { try source(name).digest.description }

    /// The key of what is known about the device beside its programs.
    func key(about what: String) -> CacheKey { CacheKey(device: context.device, about: what) }

    /// The keys of all programs that are there.
    var keys: [CacheKey] { known.withLock { Array($0.keys) }.compactMap { try? key($0) } }

    private func source(_ kernel: KernelVariant) throws(OpenCLError) -> ProgramSource { try source(kernel.name) }

    private func source(_ name: String) throws(OpenCLError) -> ProgramSource {
        let file = name + ".cl"
        guard let source = text.sources[file] else { throw .missingHeader(name: file, includedBy: "the plan") }
        return try ProgramSource(name: file, source: source, headers: text.headers)
    }
}
