extension TensorFile {
    /// Writes a file, whole or not at all.
    ///
    /// The same tensors and metadata give the same bytes, whatever their order: tensors with larger elements come
    /// first, then by name, and metadata by key, both compared as UTF-8. The header is padded with spaces to a multiple
    /// of 8 bytes, so every tensor is aligned to its elements. A regular file at `path` is replaced in one step, its
    /// permissions kept; on failure it is left as it was and no other file remains.
    ///
    /// - Parameters:
    ///   - tensors: in any order.
    ///   - metadata: text by key; without any the file has no `__metadata__`.
    ///   - path: where to. A folder, pipe or device is refused.
    /// - Throws: ``TensorFileError`` of kind `duplicateKey`, `reservedName`, `invalidString` (a name or key with more than 30
    /// combining marks in a row), `rankTooHigh`, `invalidNumber` (a negative
    /// extent), `sizeOverflow`, `byteCountMismatch`, `headerTooLong`, `notARegularFile` or `cannotWrite`.
    public static func write(
        _ tensors: [TensorFileTensor], metadata: [String: String] = [:], to path: String
    ) throws(TensorFileError) {
        try write(tensors, metadata: metadata, to: path, calls: .real)
    }

    /// As ``write(_:metadata:to:)``, with calls of the operating system that a test can make fail.
    package static func write(
        _ tensors: [TensorFileTensor], metadata: [String: String], to path: String, calls: SystemCalls
    ) throws(TensorFileError) {
        let sorted = try WrittenHeader.sorted(tensors, file: path)
        let header = try WrittenHeader.bytes(sorted, metadata: metadata, file: path)
        try AtomicFile.write(to: path, calls: calls) { file throws(TensorFileError) in
            for part in [header] + sorted.map(\.bytes) {
                // Typed errors do not cross `withUnsafeBytes`'s rethrow.
                let result = part.withUnsafeBytes { bytes in
                    Result { () throws(TensorFileError) in try file.append(bytes) }
                }
                try result.get()
            }
        }
    }

    /// The bytes that ``write(_:metadata:to:)`` would write.
    ///
    /// - Throws: ``TensorFileError`` as ``write(_:metadata:to:)`` does before it touches a file.
    public static func encoded(
        _ tensors: [TensorFileTensor], metadata: [String: String] = [:], name: String = "bytes in memory"
    ) throws(TensorFileError) -> [UInt8] {
        let sorted = try WrittenHeader.sorted(tensors, file: name)
        let header = try WrittenHeader.bytes(sorted, metadata: metadata, file: name)
        return sorted.reduce(into: header) { $0 += $1.bytes }
    }
}
