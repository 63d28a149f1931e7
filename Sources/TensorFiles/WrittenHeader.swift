/// The header of a file to be written.
enum WrittenHeader {
    /// The tensors in the file's order, each checked, each name once.
    static func sorted(_ tensors: [TensorFileTensor], file: String) throws(TensorFileError) -> [TensorFileTensor] {
        var names: Set<String> = []
        for tensor in tensors {
            try check(tensor, file: file)
            guard names.insert(tensor.name).inserted else {
                throw TensorFileError(
                    .duplicateKey, file: file, place: MessageText.tensor(tensor.name), expected: "each name once",
                    found: "it again")
            }
        }
        return tensors.sorted {
            let (first, second) = ($0.elementType.byteCount, $1.elementType.byteCount)
            return first == second ? $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) : first > second
        }
    }

    private static func check(_ tensor: TensorFileTensor, file: String) throws(TensorFileError) {
        let place = MessageText.tensor(tensor.name)
        let type = MessageText.type(tensor.elementType, tensor.shape)
        func error(_ kind: TensorFileError.Kind, _ expected: String, _ found: String) -> TensorFileError {
            TensorFileError(kind, file: file, place: place, expected: expected, found: found)
        }
        if !KeyText.isHashable(tensor.name) {
            throw error(.invalidString, "at most \(KeyText.longestMarkRun) combining marks in a row", "more")
        }
        if tensor.name == Header.metadataKey { throw error(.reservedName, "another name", "the metadata's key") }
        if tensor.shape.count > TensorSize.maximumRank {
            throw error(.rankTooHigh, "at most \(TensorSize.maximumRank) extents", "\(tensor.shape.count)")
        }
        if tensor.shape.contains(where: { $0 < 0 }) { throw error(.invalidNumber, "extents of at least 0", type) }
        guard let size = TensorSize.byteCount(shape: tensor.shape, elementType: tensor.elementType) else {
            throw error(.sizeOverflow, "a size of at most \(Int.max) bytes", type)
        }
        if size != tensor.bytes.count {
            throw error(.byteCountMismatch, "\(MessageText.bytes(size)) for \(type)", "\(tensor.bytes.count)")
        }
    }

    /// Length prefix and header, as long as a multiple of 8.
    static func bytes(
        _ tensors: [TensorFileTensor], metadata: [String: String], file: String
    ) throws(TensorFileError) -> [UInt8] {
        // Text alone may already be too long; then nothing is built.
        let text = metadata.map { $0.key.utf8.count + $0.value.utf8.count } + tensors.map(\.name.utf8.count)
        try checkLength(text.reduce(0, +), file: file)
        for key in metadata.keys where !KeyText.isHashable(key) {
            throw TensorFileError(
                .invalidString, file: file, place: HeaderPlace.metadataKey(key).text,
                expected: "at most \(KeyText.longestMarkRun) combining marks in a row", found: "more")
        }
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { JSONText.quoted($0.key) + ":" + JSONText.quoted($0.value) }
            members.append(JSONText.quoted(Header.metadataKey) + ":{" + pairs.joined(separator: ",") + "}")
        }
        var end = 0
        for tensor in tensors {
            let begin = end
            let (sum, overflow) = begin.addingReportingOverflow(tensor.bytes.count)
            if overflow {
                throw TensorFileError(
                    .sizeOverflow, file: file, expected: "a file of at most \(Int.max) bytes", found: "more")
            }
            end = sum
            members.append(
                JSONText.quoted(tensor.name) + ":{\"dtype\":\"\(tensor.elementType.rawValue)\",\"shape\":["
                    + tensor.shape.map(String.init).joined(separator: ",") + "],\"data_offsets\":[\(begin),\(end)]}")
        }
        var header = Array(("{" + members.joined(separator: ",") + "}").utf8)
        header += repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        try checkLength(header.count, file: file)
        let length = UInt64(header.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header
    }

    private static func checkLength(_ length: Int, file: String) throws(TensorFileError) {
        if length <= Header.maximumLength { return }
        throw TensorFileError(
            .headerTooLong, file: file, expected: "a header of at most \(Header.maximumLength) bytes",
            found: "\(length) or more")
    }
}
