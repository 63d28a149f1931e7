// The one file that names a C library. Everything else calls through `SystemCalls`.
#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A failed call: the C function and its `errno`.
package struct SystemFailure: Error {
    package let call: String
    package let code: Int32

    package init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// The answer of sockets and of devices that are not there.
    var isNoSuchDevice: Bool { code == ENXIO }
    var isNameTaken: Bool { code == EEXIST }

    /// `No space left on device (write, errno 28)`.
    var message: String { "\(String(cString: strerror(code))) (\(call), errno \(code))" }
}

/// The calls that write a file, replaceable by a test that wants one to fail.
package struct SystemCalls: Sendable {
    /// Writes some of the bytes and returns how many.
    package var write: @Sendable (Int32, UnsafeRawBufferPointer) throws(SystemFailure) -> Int
    package var synchronize: @Sendable (Int32) throws(SystemFailure) -> Void
    package var rename: @Sendable (_ from: String, _ to: String) throws(SystemFailure) -> Void

    package static let real = SystemCalls(
        write: { descriptor, bytes throws(SystemFailure) in
            try check("write") { writeBytes(descriptor, bytes.baseAddress, bytes.count) }
        },
        synchronize: { descriptor throws(SystemFailure) in _ = try check("fsync") { Int(fsync(descriptor)) } },
        rename: { from, to throws(SystemFailure) in _ = try check("rename") { Int(renameFile(from, to)) } })
}

extension SystemCalls {
    /// Opens for reading. Never waits for a writer, as opening a pipe would.
    static func openForReading(_ path: String) throws(SystemFailure) -> Int32 {
        Int32(try check("open") { Int(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)) })
    }

    /// Creates a file that does not exist yet; readable and writable as far as the umask allows.
    static func create(_ path: String) throws(SystemFailure) -> Int32 {
        Int32(try check("open") { Int(open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)) })
    }

    static func close(_ descriptor: Int32) throws(SystemFailure) {
        // Not repeated after EINTR: on Linux the descriptor is gone by then, and may already be another file's.
        let result = closeDescriptor(descriptor)
        if result != 0, errno != EINTR { throw SystemFailure(call: "close", code: errno) }
    }

    /// Makes a rename in the folder lasting, where the file system can do that.
    static func synchronizeFolder(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = fsync(descriptor)
        _ = closeDescriptor(descriptor)
    }

    static func remove(_ path: String) { _ = unlink(path) }

    /// The size in bytes of an open regular file; nil if it is anything else.
    static func regularFileSize(_ descriptor: Int32) throws(SystemFailure) -> Int? {
        var status = stat()
        _ = try check("fstat") { Int(fstat(descriptor, &status)) }
        return status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    /// What stands at a path that is to be written.
    enum Occupant {
        case nothing
        case regularFile(permissions: mode_t)
        case other
    }

    static func occupant(of path: String) throws(SystemFailure) -> Occupant {
        var status = stat()
        do throws(SystemFailure) {
            _ = try check("stat") { Int(stat(path, &status)) }
        } catch {
            if error.code == ENOENT { return .nothing }
            throw error
        }
        return status.st_mode & S_IFMT == S_IFREG ? .regularFile(permissions: status.st_mode & 0o777) : .other
    }

    static func setMode(_ descriptor: Int32, _ mode: mode_t) throws(SystemFailure) {
        _ = try check("fchmod") { Int(fchmod(descriptor, mode)) }
    }

    /// Reads some bytes at `offset` and returns how many; 0 at the end of the file.
    static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(SystemFailure) -> Int {
        try check("pread") { pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// The path with its links followed; nil if nothing is there.
    package static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    /// Tells whether an allocation can succeed, because Swift's own ends the process when it cannot. More than the
    /// machine's memory is refused too: some systems promise it, and end the process when it is touched.
    package static func canAllocate(_ byteCount: Int) -> Bool {
        // An array needs a little more than its bytes.
        let (size, overflow) = byteCount.addingReportingOverflow(4096)
        let (memory, unbounded) = sysconf(Int32(_SC_PHYS_PAGES)).multipliedReportingOverflow(
            by: sysconf(Int32(_SC_PAGESIZE)))
        guard !overflow, unbounded || memory <= 0 || size <= memory, let pointer = malloc(size) else { return false }
        free(pointer)
        return true
    }

    /// Repeats a call that a signal interrupted.
    private static func check(_ name: String, _ call: () -> Int) throws(SystemFailure) -> Int {
        while true {
            let result = call()
            if result >= 0 { return result }
            if errno != EINTR { throw SystemFailure(call: name, code: errno) }
        }
    }
}

// Inside `SystemCalls` these names mean its own members.
private func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func renameFile(_ from: String, _ to: String) -> Int32 { rename(from, to) }
private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
