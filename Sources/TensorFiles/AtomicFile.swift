/// A file that appears under its name complete or not at all.
///
/// The bytes go to a new file in the same folder, which is synced and then renamed. Until then a file that stood there
/// is untouched, and on failure the new one is removed.
package struct AtomicFile {
    private let path: String
    private let target: String
    private let temporary: String
    private let descriptor: Int32
    private let calls: SystemCalls

    /// Writes the file at `path`, with these bytes.
    ///
    /// - Throws: As the form below.
    package static func write(_ bytes: [UInt8], to path: String) throws(TensorFileError) {
        try write(to: path, calls: .real) { file throws(TensorFileError) in
            var failure: TensorFileError?
            bytes.withUnsafeBytes { raw in
                do throws(TensorFileError) { try file.append(raw) } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    /// Writes the file at `path` by `body`, which calls ``append(_:)``.
    ///
    /// A file that stands there is replaced and its permissions are kept; through a link, the file it leads to.
    ///
    /// - Throws: ``TensorFileError`` of kind `notARegularFile` if a folder, pipe or device stands at `path`, or
    /// `cannotWrite`.
    static func write(
        to path: String, calls: SystemCalls, body: (AtomicFile) throws(TensorFileError) -> Void
    ) throws(TensorFileError) {
        let file = try AtomicFile(path, calls: calls)
        do throws(TensorFileError) {
            try file.fill(body)
            try file.attempt { () throws(SystemFailure) in try calls.rename(file.temporary, file.target) }
        } catch {
            SystemCalls.remove(file.temporary)
            throw error
        }
        // The file is whole and in place; a folder that cannot be synced is no reason to call it missing.
        SystemCalls.synchronizeFolder(AtomicFile.folder(of: file.target))
    }

    /// Writes all of the bytes.
    func append(_ bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            var count = 0
            let chunk = UnsafeRawBufferPointer(rebasing: rest)
            try attempt { () throws(SystemFailure) in count = try calls.write(descriptor, chunk) }
            if count <= 0 {
                throw AtomicFile.cannotWrite(path, "no progress with \(MessageText.bytes(rest.count)) left")
            }
            rest = rest.dropFirst(count)
        }
    }

    private init(_ path: String, calls: SystemCalls) throws(TensorFileError) {
        if path.isEmpty || path.utf8.contains(0) {
            throw AtomicFile.cannotWrite(path, path.isEmpty ? "an empty path" : "a NUL in the path")
        }
        self.path = path
        self.calls = calls
        target = SystemCalls.resolved(path) ?? path
        let occupant: SystemCalls.Occupant
        do throws(SystemFailure) {
            occupant = try SystemCalls.occupant(of: target)
        } catch {
            throw AtomicFile.cannotWrite(path, error.message)
        }
        if case .other = occupant {
            throw TensorFileError(
                .notARegularFile, file: path, expected: "a regular file or nothing", found: "a folder, pipe or device")
        }
        (temporary, descriptor) = try AtomicFile.createTemporary(besides: target, path: path)
        if case .regularFile(let permissions) = occupant {
            do throws(SystemFailure) {
                try SystemCalls.setMode(descriptor, permissions)
            } catch {
                try? SystemCalls.close(descriptor)
                SystemCalls.remove(temporary)
                throw AtomicFile.cannotWrite(path, error.message)
            }
        }
    }

    private static func createTemporary(
        besides target: String, path: String
    ) throws(TensorFileError) -> (path: String, descriptor: Int32) {
        // The name is short whatever the target's is: names have a longest length.
        var failure = SystemFailure(call: "open", code: 0)
        for _ in 0..<16 {
            let temporary = folder(of: target) + "/.tensors-" + String(UInt64.random(in: .min ... .max), radix: 36)
            do throws(SystemFailure) {
                return (temporary, try SystemCalls.create(temporary))
            } catch {
                failure = error
                if !error.isNameTaken { break }
            }
        }
        throw cannotWrite(path, failure.message)
    }

    /// Writes, syncs and closes.
    private func fill(_ body: (AtomicFile) throws(TensorFileError) -> Void) throws(TensorFileError) {
        do throws(TensorFileError) {
            try body(self)
            try attempt { () throws(SystemFailure) in try calls.synchronize(descriptor) }
        } catch {
            try? SystemCalls.close(descriptor)
            throw error
        }
        try attempt { () throws(SystemFailure) in try SystemCalls.close(descriptor) }
    }

    private func attempt(_ call: () throws(SystemFailure) -> Void) throws(TensorFileError) {
        do throws(SystemFailure) { try call() } catch { throw AtomicFile.cannotWrite(path, error.message) }
    }

    private static func cannotWrite(_ path: String, _ found: String) -> TensorFileError {
        TensorFileError(.cannotWrite, file: path, expected: "a file that can be written whole", found: found)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
