import Foundation

/// A folder that only this user can write to, and its files, reached without following links.
///
/// Whoever can write to a folder of program binaries runs code in every process that loads them.
struct PrivateFolder {
    let path: String

    /// Why a folder or file is not to be trusted or not to be had.
    struct Refusal: Error, Hashable {
        let reason: String
    }

    /// A file's bytes, or `nil` if there is none.
    func read(_ name: String, limit: Int) throws(Refusal) -> [UInt8]? {
        guard let folder = try open(creates: false) else { return nil }
        defer { close(folder) }
        let file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        if file < 0 && errno == ENOENT { return nil }
        guard file >= 0 else { throw Refusal(reason: "\(name) cannot be opened: \(Self.lastError)") }
        defer { close(file) }
        var info = stat()
        guard fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            throw Refusal(reason: "\(name) is no regular file")
        }
        try Self.checkOwner(info, name)
        guard info.st_size <= limit else { throw Refusal(reason: "\(name) has \(info.st_size) bytes") }
        var bytes = [UInt8](repeating: 0, count: Int(info.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress! + filled, $0.count - filled, off_t(filled))
            }
            guard count > 0 else { throw Refusal(reason: "\(name) is shorter than it says") }
            filled += count
        }
        return bytes
    }

    /// Writes a file whole or not at all.
    func write(_ name: String, _ bytes: [UInt8]) throws(Refusal) {
        guard let folder = try open(creates: true) else { throw Refusal(reason: "\(path) cannot be made") }
        defer { close(folder) }
        let temporary = ".\(name).\(UInt64.random(in: 0...UInt64.max))"
        let file = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Refusal(reason: "\(path) cannot be written: \(Self.lastError)") }
        var isWhole = true
        var written = 0
        while written < bytes.count && isWhole {
            let count = bytes.withUnsafeBytes { Foundation.write(file, $0.baseAddress! + written, $0.count - written) }
            isWhole = count > 0
            written += max(count, 0)
        }
        isWhole = fsync(file) == 0 && isWhole
        isWhole = close(file) == 0 && isWhole
        guard isWhole, renameat(folder, temporary, folder, name) == 0 else {
            let reason = Self.lastError
            unlinkat(folder, temporary, 0)
            throw Refusal(reason: "\(name) cannot be written: \(reason)")
        }
    }

    func remove(_ name: String) {
        guard let folder = try? open(creates: false) else { return }
        unlinkat(folder, name, 0)
        close(folder)
    }

    /// Names of the files, sorted.
    func names() -> [String] {
        guard let folder = try? open(creates: false) else { return [] }
        close(folder)
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    /// A descriptor of the folder, once its owner and mode are right; `nil` if there is none and none is to be made.
    private func open(creates: Bool) throws(Refusal) -> Int32? {
        if creates {
            let parent = (path as NSString).deletingLastPathComponent
            try? FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            _ = mkdir(path, 0o700)
        }
        let folder = Foundation.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if folder < 0 {
            if errno == ENOENT && !creates { return nil }
            throw Refusal(reason: "\(path) cannot be opened: \(Self.lastError)")
        }
        var info = stat()
        do throws(Refusal) {
            guard fstat(folder, &info) == 0 else { throw Refusal(reason: "\(path): \(Self.lastError)") }
            try Self.checkOwner(info, path)
            guard info.st_mode & 0o077 == 0 else { throw Refusal(reason: "\(path) is open to other users") }
        } catch {
            close(folder)
            throw error
        }
        return folder
    }

    private static func checkOwner(_ info: stat, _ name: String) throws(Refusal) {
        guard info.st_uid == geteuid() else { throw Refusal(reason: "\(name) belongs to another user") }
        guard info.st_mode & 0o022 == 0 else { throw Refusal(reason: "\(name) can be written by other users") }
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}
