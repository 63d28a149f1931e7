import AttentionCore
import Locking
import OpenCLRuntime

/// Tunings of one device, in memory and beside its programs on disk.
final class TuningStore: Sendable {
    private let cache: ProgramCache
    private let programs: ProgramStore
    /// What the disk is known to have, or not to have.
    private let known = Guarded<[ShapeClass: KernelTuning?]>([:])

    init(_ cache: ProgramCache, _ programs: ProgramStore) {
        self.cache = cache
        self.programs = programs
    }

    func tuning(_ shape: ShapeClass) -> KernelTuning? {
        if let tuning = known.withLock({ $0[shape] }) { return tuning }
        // Read without the lock: two that ask at once both read.
        let read = read(shape)
        known.withLock { $0[shape] = .some(read) }
        return read
    }

    private func read(_ shape: ShapeClass) -> KernelTuning? {
        // A file that is damaged, foreign or not private is as good as none.
        guard let payload = try? cache.record(.tuning, key(shape)), let kept = KeptTuning(payload),
            kept.text == (try? programs.digest(ofKernel: kept.tuning.kernel))
        else { return nil }
        return kept.tuning
    }

    /// - Returns: Whether it outlives the process.
    func keep(_ tuning: KernelTuning, _ shape: ShapeClass) -> Bool {
        known.withLock { $0[shape] = .some(tuning) }
        guard let text = try? programs.digest(ofKernel: tuning.kernel) else { return false }
        return (try? cache.keep(KeptTuning(text: text, tuning: tuning).payload, .tuning, key(shape))) != nil
    }

    func forget(_ shape: ShapeClass) {
        known.withLock { $0[shape] = .some(nil) }
        _ = try? cache.forget(.tuning, key(shape))
    }

    private func key(_ shape: ShapeClass) -> CacheKey { programs.key(about: "tuning of \(shape)") }
}
