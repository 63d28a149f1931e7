import Foundation

/// Compiled programs on disk, so that a driver compiles a text once.
///
/// A file is read only if it and its folder belong to this user alone, and reaches the driver only if its SHA-256 is right: drivers
/// crash on damaged binaries, and run foreign ones. Whatever is off, the program is built from its text again.
public struct ProgramCache: Sendable {
    /// Names the folder.
    public static let folderVariable = "ATTEND_CACHE_DIR"
    /// `off` leaves the disk alone.
    public static let switchVariable = "ATTEND_CACHE"

    /// Where the files are; `nil` if the disk is left alone.
    public let folder: String?

    /// How a program came to be.
    public enum Outcome: Hashable, Sendable {
        case cached
        /// Built from text. The reason says why, if a cached one could have been expected; `notStored` why it is not kept.
        case compiled(reason: String?, notStored: String?)

        public var isCompiled: Bool { self != .cached }
    }

    /// One file.
    public struct Entry: Hashable, Sendable {
        public let name: String
        public let byteCount: Int
        /// What it was built for and from; empty if the file is damaged.
        public let key: String
    }

    public init(folder: String?) { self.folder = folder }

    /// The cache that the environment names, else the user's.
    public static var standard: ProgramCache {
        let environment = ProcessInfo.processInfo.environment
        if environment[switchVariable] == "off" { return ProgramCache(folder: nil) }
        if let named = environment[folderVariable], !named.isEmpty { return ProgramCache(folder: named) }
        #if os(macOS)
            return ProgramCache(folder: NSHomeDirectory() + "/Library/Caches/swift-attention")
        #else
            let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            return ProgramCache(folder: (base ?? NSHomeDirectory() + "/.cache") + "/swift-attention")
        #endif
    }

    /// A program for `context`'s device: loaded, or built from text and kept.
    ///
    /// - Throws: ``OpenCLError`` if the text does not build. A cache that cannot be used is no error; the outcome tells of it.
    public func program(
        source: SourceText, options: BuildOptions, context: Context
    ) throws(OpenCLError) -> (Program, Outcome) {
        guard let folder else {
            return (
                try Program(context: context, source: source, options: options),
                .compiled(reason: nil, notStored: "the cache is off")
            )
        }
        let file = CacheFile(source: source, options: options, device: context.device.info)
        let store = PrivateFolder(path: folder)
        var reason: String?
        do throws(PrivateFolder.Refusal) {
            if let bytes = try store.read(file.name, limit: CacheFile.limit) {
                do throws(OpenCLError) {
                    let binary = try file.binary(in: bytes).get()
                    return (try Program(context: context, binary: binary, options: options), .cached)
                } catch { reason = error.description }
            }
        } catch { reason = error.reason }
        let program = try Program(context: context, source: source, options: options)
        do throws(PrivateFolder.Refusal) {
            guard let binary = try? program.binary() else { throw .init(reason: "the driver gives no binary") }
            try store.write(file.name, file.bytes(binary))
            return (program, .compiled(reason: reason, notStored: nil))
        } catch {
            return (program, .compiled(reason: reason, notStored: error.reason))
        }
    }

    /// The files there are.
    public func entries() -> [Entry] {
        guard let folder else { return [] }
        let store = PrivateFolder(path: folder)
        return store.names().filter { $0.hasSuffix(CacheFile.suffix) }.map { name in
            let bytes = (try? store.read(name, limit: CacheFile.limit)) ?? nil
            return Entry(name: name, byteCount: bytes?.count ?? 0, key: bytes.flatMap { CacheFile.key(in: $0) } ?? "")
        }
    }

    /// Removes all files this cache wrote, and gives their number.
    public func clear() -> Int {
        guard let folder else { return 0 }
        let store = PrivateFolder(path: folder)
        let names = store.names().filter { $0.hasSuffix(CacheFile.suffix) }
        for name in names { store.remove(name) }
        return names.count
    }
}
