#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The opened folder of the cache: ours alone, checked once, and reached by its descriptor from then on, so that
/// nothing can be slipped in between the check and the use.
struct CacheFolder: ~Copyable {
    private let descriptor: Int32

    /// Opens the folder at `path`, which is made with its parents where it is missing.
    init(path: String, create: Bool = true) throws(CacheProblem) {
        if create { try Self.make(path) }
        let opened = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard opened >= 0 else {
            let code = errno
            if code == ELOOP || (code == ENOTDIR && Self.isLink(path)) {
                throw .folderNotPrivate(path: path, reason: "it is a link")
            }
            if code == ENOENT { throw .notFound }
            throw .folderUnusable(path: path, reason: message(code))
        }
        var status = stat()
        let problem: CacheProblem?
        if fstat(opened, &status) != 0 {
            problem = .folderUnusable(path: path, reason: message(errno))
        } else if status.st_uid != geteuid() {
            problem = .folderNotPrivate(path: path, reason: "it belongs to user \(status.st_uid)")
        } else if status.st_mode & 0o077 != 0 {
            let mode = String(status.st_mode & 0o777, radix: 8)
            problem = .folderNotPrivate(path: path, reason: "its mode is \(mode), not 700")
        } else {
            problem = nil
        }
        if let problem {
            close(opened)
            throw problem
        }
        descriptor = opened
    }

    deinit { close(descriptor) }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    private static func make(_ path: String) throws(CacheProblem) {
        var made = ""
        for part in path.split(separator: "/") {
            made += (made.isEmpty && !path.hasPrefix("/") ? "" : "/") + part
            if mkdir(made, 0o700) != 0 {
                let code = errno
                // A folder that is there answers EEXIST, or EROFS and the like where it could not be made anyway.
                var status = stat()
                guard stat(made, &status) != 0 else { continue }
                throw .folderUnusable(path: path, reason: message(code))
            }
        }
    }

    /// Reads a whole file, once it is sure whose it is.
    func read(_ name: String) throws(CacheProblem) -> [UInt8] {
        let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            switch errno {
            case ENOENT: throw .notFound
            case ELOOP: throw .notRegular
            case let code: throw .unreadable(reason: message(code))
            }
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .unreadable(reason: message(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        guard status.st_uid == geteuid() else { throw .foreignOwner }
        guard status.st_mode & 0o022 == 0 else { throw .writableByOthers }
        guard status.st_size <= CacheFile.sizeLimit else { throw .tooLarge(bytes: Int(status.st_size)) }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, filled in
            while filled < buffer.count {
                let count = Self.retry {
                    pread(file, buffer.baseAddress! + filled, buffer.count - filled, off_t(filled))
                }
                if count < 0 { failure = errno }
                if count <= 0 { return }
                filled += count
            }
        }
        guard failure == 0 else { throw .unreadable(reason: message(failure)) }
        guard bytes.count == Int(status.st_size) else { throw .truncated }
        return bytes
    }

    /// Writes a whole file or none of it: under another name first, then renamed.
    func write(_ bytes: [UInt8], as name: String) throws(CacheProblem) {
        guard bytes.count <= CacheFile.sizeLimit else { throw .tooLarge(bytes: bytes.count) }
        let temporary = Self.temporaryPrefix + "\(getpid())-" + String(UInt64.random(in: 0...UInt64.max), radix: 16)
        let file = openat(descriptor, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .cannotWrite(reason: message(errno)) }
        var failure: Int32 = 0
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count, failure == 0 {
                let count = Self.retry {
                    pwrite(file, buffer.baseAddress! + written, buffer.count - written, off_t(written))
                }
                if count <= 0 { failure = count < 0 ? errno : EIO } else { written += count }
            }
        }
        // On the disk before it has its name, or a power cut could leave a name with nothing behind it.
        if failure == 0, fsync(file) != 0 { failure = errno }
        close(file)
        if failure == 0, renameat(descriptor, temporary, descriptor, name) != 0 { failure = errno }
        guard failure == 0 else {
            unlinkat(descriptor, temporary, 0)
            throw .cannotWrite(reason: message(failure))
        }
    }

    /// The names in the folder that are this cache's, sorted.
    func names(temporary: Bool = false) throws(CacheProblem) -> [String] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            let code = errno
            if copy >= 0 { close(copy) }
            throw .unreadable(reason: message(code))
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if CacheEntryKind(fileName: name) != nil || (temporary && name.hasPrefix(Self.temporaryPrefix)) {
                names.append(name)
            }
        }
        return names.sorted()
    }

    func remove(_ name: String) -> Bool { unlinkat(descriptor, name, 0) == 0 }

    private static let temporaryPrefix = ".tmp-"

    private static func retry(_ body: () -> Int) -> Int {
        while true {
            let result = body()
            if result >= 0 || errno != EINTR { return result }
        }
    }
}

private func message(_ code: Int32) -> String { strerror(code).map { String(cString: $0) } ?? "error \(code)" }
