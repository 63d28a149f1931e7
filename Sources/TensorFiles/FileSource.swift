/// A regular file held open for positional reads, which many threads may do at once.
///
/// Read, never mapped: touching a mapped page that another process has cut off ends this one.
package final class FileSource: Sendable {
    /// Size in bytes when the file was opened.
    package let size: Int
    private let path: String
    private let descriptor: Int32

    /// - Throws: ``TensorFileError`` of kind `cannotOpen` or `notARegularFile`.
    package init(path: String) throws(TensorFileError) {
        // C would stop at the NUL and open another file.
        if path.utf8.contains(0) {
            throw TensorFileError(.cannotOpen, file: path, expected: "a path without NUL", found: "one")
        }
        let opened: Int32
        do throws(SystemFailure) {
            opened = try SystemCalls.openForReading(path)
        } catch {
            throw TensorFileError(
                error.isNoSuchDevice ? .notARegularFile : .cannotOpen, file: path, expected: "a readable file",
                found: error.message)
        }
        let foundSize: Int?
        do throws(SystemFailure) {
            foundSize = try SystemCalls.regularFileSize(opened)
        } catch {
            try? SystemCalls.close(opened)
            throw TensorFileError(.cannotOpen, file: path, expected: "a readable file", found: error.message)
        }
        guard let foundSize else {
            try? SystemCalls.close(opened)
            throw TensorFileError(
                .notARegularFile, file: path, expected: "a regular file", found: "a folder, pipe or device")
        }
        size = foundSize
        self.path = path
        descriptor = opened
    }

    deinit { try? SystemCalls.close(descriptor) }

    /// Fills `buffer` from `offset` on.
    ///
    /// - Throws: ``TensorFileError`` of kind `cannotRead` or `changedWhileReading`.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(TensorFileError) {
        var done = 0
        while done < buffer.count {
            let count: Int
            do throws(SystemFailure) {
                count = try SystemCalls.read(
                    descriptor, into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]), at: offset + done)
            } catch {
                throw TensorFileError(
                    .cannotRead, file: path, expected: "\(MessageText.bytes(buffer.count)) at byte \(offset)",
                    found: error.message)
            }
            if count == 0 {
                throw TensorFileError(
                    .changedWhileReading, file: path, expected: "the \(MessageText.bytes(size)) it had when opened",
                    found: "its end at byte \(offset + done)")
            }
            done += count
        }
    }
}
