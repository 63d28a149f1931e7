/// Why a tensor file could not be opened, read or written: the file, the place in it, what was expected and what came.
///
/// `description` is one line whatever the file holds: control characters of names are escaped and long names are cut.
public struct TensorFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong, for code that decides; people read ``TensorFileError/description``.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// The file is missing or may not be read.
        case cannotOpen
        /// A folder, pipe, socket or device.
        case notARegularFile
        /// The operating system failed a read.
        case cannotRead
        /// The file became shorter since it was opened.
        case changedWhileReading
        /// Fewer bytes than the length prefix and the header need.
        case truncatedHeader
        /// The length prefix exceeds 100,000,000 bytes; or a header to be written would.
        case headerTooLong
        /// The header is not JSON.
        case syntax
        /// A string has a bad escape, a lone surrogate, a control character, or is not UTF-8; or a key has more than 30
        /// combining marks in a row.
        case invalidString
        /// A key occurs twice in one object. Canonically equivalent Unicode texts count as the same key.
        case duplicateKey
        /// JSON, but a value of the wrong type.
        case wrongType
        /// A tensor has a field other than dtype, shape and data_offsets.
        case unknownField
        /// A tensor lacks one of them.
        case missingField
        /// A dtype that ``TensorFileElementType`` does not know.
        case unknownElementType
        /// Not a plain non-negative integer of at most 63 bits.
        case invalidNumber
        /// More than 64 extents.
        case rankTooHigh
        /// The product of the extents and the element's size does not fit `Int`.
        case sizeOverflow
        /// `data_offsets` is not two numbers of which the first is at most the second.
        case invalidOffsets
        /// The range of bytes is not what type and shape need.
        case byteCountMismatch
        /// A tensor ends behind the end of the file.
        case beyondData
        /// Two tensors share bytes.
        case overlap
        /// Bytes between two tensors, or before the first, belong to none.
        case hole
        /// Bytes after the last tensor belong to none.
        case trailingData
        /// No tensor has the name asked for.
        case noSuchTensor
        /// A read beyond a tensor's end.
        case outOfRange
        /// More memory than there is.
        case outOfMemory
        /// A tensor to be written is called `__metadata__`.
        case reservedName
        /// The file could not be created, written, synced or renamed.
        case cannotWrite
    }

    /// What went wrong.
    public let kind: Kind
    /// The file's path, or the name given to its bytes.
    public let file: String
    /// The place in it: a tensor, a metadata key, a byte of the header; or nil for the file as a whole. Escaped, fit
    /// for printing.
    public let place: String?
    /// What was expected. Escaped, fit for printing.
    public let expected: String
    /// What came. Escaped, fit for printing.
    public let found: String

    init(_ kind: Kind, file: String, place: String? = nil, expected: String, found: String) {
        self.kind = kind
        self.file = file
        self.place = place
        self.expected = expected
        self.found = found
    }

    /// One line: `FILE: PLACE: expected …, found …`.
    public var description: String {
        let parts = [MessageText.path(file), place].compactMap { $0 }
        return parts.joined(separator: ": ") + ": expected \(expected), found \(found)"
    }
}
