import Locking

/// The programs built in one context. They hold no reference to the `Context` object, so there is no circle.
final class ProgramTable: Sendable {
    private struct Key: Hashable {
        let source: SHA256Digest
        let options: BuildOptions
    }

    /// One program, built under the slot's own lock, so that building one does not hold up another.
    private final class Slot: Sendable {
        let program = Guarded<Program?>(nil)
    }

    private let slots = Guarded<[Key: Slot]>([:])

    /// The program that is there, or what `make` makes; of several callers at once one makes it.
    func program(
        _ source: ProgramSource, _ options: BuildOptions, make: () throws(OpenCLError) -> (Program, BuildOutcome)
    ) throws(OpenCLError) -> (program: Program, outcome: BuildOutcome) {
        let key = Key(source: source.digest, options: options)
        let slot = slots.withLock { slots in
            if let slot = slots[key] { return slot }
            let slot = Slot()
            slots[key] = slot
            return slot
        }
        return try slot.program.withLock { (known) throws(OpenCLError) in
            if let known { return (known, .inMemory) }
            let (made, outcome) = try make()
            known = made
            return (made, outcome)
        }
    }
}
