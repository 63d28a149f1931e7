/// A safetensors file: named tensors and text, checked as a whole when it is opened, their bytes read when they are
/// asked for.
///
/// The layout is an 8-byte little-endian length, a JSON header of that length, and the tensors' bytes. Opening reads
/// only the header and refuses, with the reason, whatever two readers could understand differently: a key given twice,
/// a number that is not a plain integer, an unknown field, a size that overflows or disagrees with its range, ranges
/// that overlap, leave a hole or do not end where the file ends. Nothing is allocated before the file's size has
/// confirmed that it can be needed.
///
/// A value may be used from many threads at once. The file stays open as long as a copy of the value lives.
public struct TensorFile: Sendable {
    /// The path, or the name given to the bytes; what errors call the file.
    public let name: String
    /// The header's `__metadata__`; empty without one.
    public let metadata: [String: String]
    /// The tensors in the order of their bytes.
    public let entries: [TensorFileEntry]

    private let source: Source
    /// Where the data part begins, in bytes.
    private let dataStart: Int
    private let indexByName: [String: Int]

    private enum Source {
        case file(FileSource)
        case bytes([UInt8])
    }

    /// Opens the file at `path` and checks its header. A pipe, folder or device is refused, without waiting for it.
    ///
    /// - Throws: ``TensorFileError`` of any kind but those of reading and writing.
    public init(path: String) throws(TensorFileError) {
        let file = try FileSource(path: path)
        try self.init(.file(file), size: file.size, name: path)
    }

    /// Checks a file that is in memory.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - name: what errors call it.
    /// - Throws: ``TensorFileError`` of any kind but those of reading and writing.
    public init(bytes: [UInt8], name: String = "bytes in memory") throws(TensorFileError) {
        try self.init(.bytes(bytes), size: bytes.count, name: name)
    }

    private init(_ source: Source, size: Int, name: String) throws(TensorFileError) {
        self.source = source
        self.name = name
        let prefixLength = 8
        guard size >= prefixLength else {
            throw TensorFileError(
                .truncatedHeader, file: name, expected: "at least 8 bytes, the header's length",
                found: MessageText.bytes(size))
        }
        let prefix = try TensorFile.array(count: prefixLength, file: name) { buffer throws(TensorFileError) in
            try TensorFile.read(source, into: buffer, at: 0)
        }
        let claimed = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard claimed <= UInt64(Header.maximumLength) else {
            throw TensorFileError(
                .headerTooLong, file: name, expected: "a header of at most \(Header.maximumLength) bytes",
                found: "\(claimed) in the length prefix")
        }
        let headerLength = Int(claimed)
        guard headerLength <= size - prefixLength else {
            throw TensorFileError(
                .truncatedHeader, file: name, expected: "a header of \(MessageText.bytes(headerLength))",
                found: "\(MessageText.bytes(size - prefixLength)) after the length prefix")
        }
        dataStart = prefixLength + headerLength
        let header = try Header(
            TensorFile.array(count: headerLength, file: name) { buffer throws(TensorFileError) in
                try TensorFile.read(source, into: buffer, at: prefixLength)
            }, dataLength: size - dataStart, file: name)
        metadata = header.metadata
        entries = header.entries
        // The parser has refused repeated names.
        indexByName = Dictionary(
            entries.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
    }
}

extension TensorFile {
    /// The tensor called `name`, or nil.
    public subscript(name: String) -> TensorFileEntry? { indexByName[name].map { entries[$0] } }

    /// The tensor called `name`.
    ///
    /// - Throws: ``TensorFileError`` of kind `noSuchTensor`.
    public func entry(named name: String) throws(TensorFileError) -> TensorFileEntry {
        if let entry = self[name] { return entry }
        let some = entries.prefix(6).map { MessageText.quoted($0.name) }.joined(separator: " ")
        throw TensorFileError(
            .noSuchTensor, file: self.name, place: MessageText.tensor(name), expected: "a tensor of that name",
            found: entries.isEmpty ? "no tensors" : "only \(some)\(entries.count > 6 ? " and others" : "")")
    }

    /// All bytes of a tensor, little-endian and row-major as they are in the file.
    ///
    /// - Throws: ``TensorFileError`` of kind `noSuchTensor`, `outOfMemory`, `cannotRead` or `changedWhileReading`.
    public func bytes(of name: String) throws(TensorFileError) -> [UInt8] {
        let entry = try entry(named: name)
        return try TensorFile.array(count: entry.byteCount, file: self.name) { buffer throws(TensorFileError) in
            try read(name, into: buffer)
        }
    }

    /// Fills `buffer` with bytes of a tensor, so that a large one can be taken in parts or straight into its place.
    ///
    /// - Parameters:
    ///   - name: the tensor.
    ///   - start: where to begin, in bytes from the tensor's first.
    ///   - buffer: filled to its end.
    /// - Throws: ``TensorFileError`` of kind `noSuchTensor`, `outOfRange`, `cannotRead` or `changedWhileReading`.
    public func read(
        _ name: String, from start: Int = 0, into buffer: UnsafeMutableRawBufferPointer
    ) throws(TensorFileError) {
        let entry = try entry(named: name)
        guard start >= 0, start <= entry.byteCount, buffer.count <= entry.byteCount - start else {
            throw TensorFileError(
                .outOfRange, file: self.name, place: MessageText.tensor(name),
                expected: "a part of its \(MessageText.bytes(entry.byteCount))",
                found: "\(MessageText.bytes(buffer.count)) from byte \(start) on")
        }
        try TensorFile.read(source, into: buffer, at: dataStart + entry.byteRange.lowerBound + start)
    }

    private static func read(
        _ source: Source, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(TensorFileError) {
        switch source {
        case .file(let file): try file.read(into: buffer, at: offset)
        case .bytes(let bytes):
            bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset...].prefix(buffer.count)))
            }
        }
    }

    /// An array of `count` bytes that `fill` fills.
    private static func array(
        count: Int, file: String, fill: (UnsafeMutableRawBufferPointer) throws(TensorFileError) -> Void
    ) throws(TensorFileError) -> [UInt8] {
        guard SystemCalls.canAllocate(count) else {
            throw TensorFileError(
                .outOfMemory, file: file, expected: "\(MessageText.bytes(count)) of memory", found: "less")
        }
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: TensorFileError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(TensorFileError) { try fill(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }
}
