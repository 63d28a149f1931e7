import ArgumentParser
import Attention

/// `attend cache`: compiled kernels on disk, and what is known of them.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Shows or clears compiled kernels, self-test verdicts and tunings on disk.",
        discussion: """
            A verdict says whether a kernel passed the test before its first use; one that did not is not used until its verdict is \
            cleared, or driver or kernel change. A tuning is what `attend tune` found to be fastest. \
            The folder is the user's own, or what ATTEND_CACHE_DIR names; ATTEND_CACHE=off leaves the disk alone. \
            Drivers may keep caches of their own beside it.
            """)

    enum Action: String, ExpressibleByArgument, CaseIterable { case show, clear }

    @Argument(help: "show or clear.")
    var action: Action

    @Flag(help: "Clears verdicts alone, so that every kernel is tested again.")
    var verdicts = false

    @Flag(help: "Clears tunings alone, so that plans choose their tiles by themselves again.")
    var tunings = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let cache = KernelCache.standard
        let removed = action == .clear ? cache.clear(cleared) : 0
        let entries = cache.entries()
        let bytes = entries.reduce(0) { $0 + $1.byteCount }
        guard !common.json else { return Console.line(json(cache, entries, bytes, removed).text) }
        Console.line("folder   \(cache.folder.map(Console.oneLine) ?? "none: ATTEND_CACHE is off")")
        if action == .clear { Console.line("removed  \(removed) files") }
        if action == .clear && entries.isEmpty { return }
        let programs = entries.filter { $0.kind == .program }
        Console.line("kernels  \(programs.count), \(Pretty.bytes(bytes))")
        programs.forEach { Console.line(Console.oneLine("  \(Pretty.bytes($0.byteCount))  \($0.name)  \($0.key)")) }
        let judged = entries.filter { $0.kind == .verdict }
        Console.line("verdicts \(judged.count)")
        judged.forEach { Console.line(Console.oneLine("  \(verdict($0))  \($0.name)  \($0.key)")) }
        let tuned = entries.filter { $0.kind == .tuning }
        Console.line("tunings  \(tuned.count)")
        tuned.forEach { Console.line(Console.oneLine("  \(tuning($0))  \($0.name)  \($0.key)")) }
    }

    /// The kinds of files that go.
    private var cleared: Set<KernelCache.Kind> {
        guard verdicts || tunings else { return Set(KernelCache.Kind.allCases) }
        return Set((verdicts ? [.verdict] : []) + (tunings ? [.tuning] : []))
    }

    private func tuning(_ entry: KernelCache.Entry) -> String {
        guard let tuning = entry.tuning else { return "unreadable" }
        let sizes = tuning.sizes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        let times = "\(Pretty.fixed(tuning.before, 3)) → \(Pretty.fixed(tuning.after, 3)) ms"
        return "\(tuning.kernel) \(sizes) at \(tuning.shape): \(times)"
    }

    private func verdict(_ entry: KernelCache.Entry) -> String {
        guard let verdict = entry.verdict else { return "unreadable" }
        return "\(verdict.kernel) \(verdict.outcome.rawValue)\(verdict.reason.isEmpty ? "" : ": \(verdict.reason)")"
    }

    private func json(_ cache: KernelCache, _ entries: [KernelCache.Entry], _ bytes: Int, _ removed: Int) -> JSON {
        .object([
            ("folder", .optional(cache.folder)), ("bytes", .int(bytes)),
            (
                "entries",
                .array(
                    entries.map { entry in
                        .object(
                            [
                                ("kind", .string(entry.kind.rawValue)), ("name", .string(entry.name)),
                                ("bytes", .int(entry.byteCount)), ("key", .string(entry.key)),
                            ] + (entry.verdict.map { [("verdict", JSON($0))] } ?? [])
                                + (entry.tuning.map { [("tuning", JSON($0))] } ?? []))
                    })
            ), ("removed", .int(removed)),
        ])
    }
}
