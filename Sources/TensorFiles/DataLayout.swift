/// The rule that every byte of the data part belongs to exactly one tensor.
enum DataLayout {
    /// The entries in the order of their bytes; entries of no bytes keep the header's order.
    ///
    /// - Throws: ``TensorFileError`` of kind `beyondData`, `overlap`, `hole` or `trailingData`.
    static func checked(
        _ entries: [TensorFileEntry], dataLength: Int, file: String
    ) throws(TensorFileError) -> [TensorFileEntry] {
        for entry in entries where entry.byteRange.upperBound > dataLength {
            throw TensorFileError(
                .beyondData, file: file, place: MessageText.tensor(entry.name),
                expected: "an end within the \(MessageText.bytes(dataLength)) of data",
                found: "data_offsets \(shown(entry))")
        }
        let sorted = entries.indices.sorted { key(entries[$0], $0) < key(entries[$1], $1) }.map { entries[$0] }
        var end = 0
        for entry in sorted {
            if entry.byteRange.lowerBound != end {
                throw TensorFileError(
                    entry.byteRange.lowerBound < end ? .overlap : .hole, file: file,
                    place: MessageText.tensor(entry.name),
                    expected:
                        "data that begins at \(end), where \(end == 0 ? "the header" : "the tensor before it") ends",
                    found: "data_offsets \(shown(entry))")
            }
            end = entry.byteRange.upperBound
        }
        guard end == dataLength else {
            throw TensorFileError(
                .trailingData, file: file, expected: "\(MessageText.bytes(end)) of data, the sum of the tensors",
                found: "\(dataLength)")
        }
        return sorted
    }

    private static func key(_ entry: TensorFileEntry, _ index: Int) -> (Int, Int, Int) {
        (entry.byteRange.lowerBound, entry.byteRange.upperBound, index)
    }

    private static func shown(_ entry: TensorFileEntry) -> String {
        "[\(entry.byteRange.lowerBound), \(entry.byteRange.upperBound)]"
    }
}
