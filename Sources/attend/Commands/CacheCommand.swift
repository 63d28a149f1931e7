import ArgumentParser
import Attention

/// `attend cache`: compiled kernels on disk.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Shows or clears compiled kernels on disk.",
        discussion: """
            The folder is the user's own, or what ATTEND_CACHE_DIR names; ATTEND_CACHE=off leaves the disk alone. \
            Drivers may keep caches of their own beside it.
            """)

    enum Action: String, ExpressibleByArgument, CaseIterable { case show, clear }

    @Argument(help: "show or clear.")
    var action: Action

    @OptionGroup var common: CommonOptions

    func run() throws {
        let cache = KernelCache.standard
        let removed = action == .clear ? cache.clear() : 0
        let entries = cache.entries()
        let bytes = entries.reduce(0) { $0 + $1.byteCount }
        guard !common.json else { return Console.line(json(cache, entries, bytes, removed).text) }
        Console.line("folder   \(cache.folder.map(Console.oneLine) ?? "none: ATTEND_CACHE is off")")
        if action == .clear {
            Console.line("removed  \(removed) files")
        } else {
            Console.line("kernels  \(entries.count), \(Pretty.bytes(bytes))")
            entries.forEach { Console.line(Console.oneLine("  \(Pretty.bytes($0.byteCount))  \($0.name)  \($0.key)")) }
        }
    }

    private func json(_ cache: KernelCache, _ entries: [KernelCache.Entry], _ bytes: Int, _ removed: Int) -> JSON {
        .object([
            ("folder", .optional(cache.folder)), ("bytes", .int(bytes)),
            (
                "entries",
                .array(
                    entries.map { entry in
                        .object([
                            ("name", .string(entry.name)), ("bytes", .int(entry.byteCount)),
                            ("key", .string(entry.key)),
                        ])
                    })
            ), ("removed", .int(removed)),
        ])
    }
}
