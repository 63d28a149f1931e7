/// Where a program came from.
public enum BuildOutcome: Hashable, Sendable, CustomStringConvertible {
    /// It was built in this context before.
    case inMemory
    /// A binary on disk was loaded.
    case cached
    /// It was compiled, because of `reason`; `notStored` says why its binary is not on disk now, or is nil.
    case compiled(reason: CacheProblem, notStored: CacheProblem?)

    public var description: String {
        switch self {
        case .inMemory: "built before in this context"
        case .cached: "loaded from the cache on disk"
        case .compiled(let reason, nil): "compiled (\(reason)) and stored"
        case .compiled(let reason, let problem?): "compiled (\(reason)), not stored: \(problem)"
        }
    }
}

/// Why the cache on disk was of no use. Never fatal to a build.
public enum CacheProblem: Error, Hashable, Sendable {
    /// Turned off by `ATTEND_CACHE=off` or by the caller.
    case off
    /// There is no home folder to put it in.
    case noFolder
    /// The folder cannot be made or opened.
    case folderUnusable(path: String, reason: String)
    /// The folder is not a folder of this user alone: somebody else could have put binaries there.
    case folderNotPrivate(path: String, reason: String)
    /// The driver does not say who it is, so that nobody could tell its binaries from another's.
    case namelessDriver
    /// Nothing is stored for this program yet.
    case notFound
    case unreadable(reason: String)
    /// A link, or not a regular file.
    case notRegular
    case foreignOwner
    /// Others may write the file.
    case writableByOthers
    case tooLarge(bytes: Int)
    /// Shorter than it says.
    case truncated
    /// Not a file of this cache, or of another version of it.
    case unknownFormat
    /// The bytes are not those that were written.
    case badDigest
    /// The file is of another program, device, driver or options.
    case wrongKey
    /// The driver does not take the binary back.
    case refused(by: String)
    /// The driver gives no binary.
    case noBinary
    case cannotWrite(reason: String)
}

extension CacheProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .off: "the cache is off"
        case .noFolder: "there is no home folder for the cache"
        case .folderUnusable(let path, let reason): "\(path): \(reason)"
        case .folderNotPrivate(let path, let reason): "\(path) is not private: \(reason)"
        case .namelessDriver: "the driver does not tell its name and version"
        case .notFound: "not in the cache"
        case .unreadable(let reason): "the cached file cannot be read: \(reason)"
        case .notRegular: "the cached file is a link or not a regular file"
        case .foreignOwner: "the cached file belongs to another user"
        case .writableByOthers: "others may write the cached file"
        case .tooLarge(let bytes): "\(bytes) bytes are too many for the cache"
        case .truncated: "the cached file is truncated"
        case .unknownFormat: "the cached file has an unknown format"
        case .badDigest: "the cached file was changed: its digest is wrong"
        case .wrongKey: "the cached file is of another program, device or driver"
        case .refused(let reason): "the driver refused the cached binary: \(reason)"
        case .noBinary: "the driver gives no binary"
        case .cannotWrite(let reason): "cannot be written: \(reason)"
        }
    }
}
