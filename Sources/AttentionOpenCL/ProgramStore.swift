import OpenCLRuntime
import Synchronization

/// The programs of one context, by what they were compiled with. Each is built once, whoever asks first.
final class ProgramStore: Sendable {
    /// Holds a program once it is built; its lock is held while that goes on, so that others wait rather than build too.
    private final class Slot: Sendable {
        let program = Mutex<Program?>(nil)
    }

    private let context: Context
    private let text: KernelText
    private let cache: ProgramCache
    private let slots = Mutex<[KernelVariant: Slot]>([:])

    init(context: Context, text: KernelText, cache: ProgramCache) {
        self.context = context
        self.text = text
        self.cache = cache
    }

    /// The program of `kernel`, and whether the driver had to compile it just now.
    func program(_ kernel: KernelVariant) throws(OpenCLError) -> (Program, isCompiled: Bool) {
        let slot = slots.withLock { slots in
            if let known = slots[kernel] { return known }
            let slot = Slot()
            slots[kernel] = slot
            return slot
        }
        let result = slot.program.withLock { program -> Result<(Program, isCompiled: Bool), OpenCLError> in
            if let program { return .success((program, false)) }
            do throws(OpenCLError) {
                let (built, outcome) = try build(kernel)
                program = built
                return .success((built, outcome.isCompiled))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func build(_ kernel: KernelVariant) throws(OpenCLError) -> (Program, ProgramCache.Outcome) {
        let file = kernel.name + ".cl"
        guard let source = text.sources[file] else { throw .missingHeader(file) }
        return try cache.program(
            source: try SourceText(source, headers: text.headers),
            options: try BuildOptions(definitions: kernel.definitions), context: context)
    }
}
