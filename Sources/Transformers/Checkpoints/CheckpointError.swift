import TensorFiles

/// Why a model's folder cannot be used: the file, the place in it, what was expected and what came.
///
/// `description` is one line whatever the folder holds: names are escaped and cut, and long lists too.
public struct CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong, for code that decides; people read ``CheckpointError/description``.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// The folder is not there or is not a folder.
        case notAFolder
        /// A file that the model needs is not in its folder.
        case missingFile
        /// A file is there but cannot be read.
        case unreadableFile
        /// A name or a link leads out of the folder.
        case pathLeavesFolder
        /// A JSON file that is larger, or nested deeper, than any real one.
        case tooLarge
        /// Not JSON, not UTF-8, or text after the value.
        case syntax
        /// A key occurs twice in one object.
        case duplicateKey
        /// JSON, but a value of the wrong type.
        case wrongType
        /// An object lacks a key.
        case missingField
        /// A value of the right type that cannot be right.
        case invalidValue
        /// A model or an option that this library does not run.
        case unsupported
        /// An entry occurs twice in a list of tokens.
        case duplicateToken
        /// A token that the configuration names is in no list of tokens.
        case unknownToken
        /// A token's id has no row in the model's embedding, or no entry in its list.
        case tokenOutOfRange
        /// A tensor file is damaged; ``CheckpointError/tensorFileError`` says how.
        case tensorFile
        /// Tensors are missing, unknown or of another shape or type than the configuration says.
        case tensors
        /// Memory for a tensor was refused.
        case outOfMemory
    }

    /// A tensor that is there, but not as the configuration says.
    public struct Misshapen: Hashable, Sendable {
        public let name: String
        public let expected: [Int]
        /// Element type and shape as a file spells them: `F32 [2, 3]`.
        public let found: String

        /// `"a" F32 [2, 3], not [3, 2]`; element types are told only where they are the matter.
        var shown: String {
            let isFloat = ["F32 ", "F16 ", "BF16 "].contains { found.utf8.starts(with: $0.utf8) }
            return "\(MessageText.quoted(name)) \(found), not \(isFloat ? "" : "F32, F16 or BF16 ")\(expected)"
        }
    }

    public let kind: Kind
    /// The file's path, or the folder's.
    public let file: String
    /// The key path or other place in it, or nil for the file as a whole. Fit for printing.
    public let place: String?
    /// What was expected. Fit for printing.
    public let expected: String
    /// What came. Fit for printing.
    public let found: String
    /// What the tensor file's reader said, for the kind `tensorFile`.
    public let tensorFileError: TensorFileError?
    /// For the kind `tensors`: all names that are expected and not there, in the order of the model.
    public let missing: [String]
    /// For the kind `tensors`: all names that are there and not expected.
    public let extra: [String]
    /// For the kind `tensors`: all that have another shape, or no floating-point elements.
    public let misshapen: [Misshapen]

    init(_ kind: Kind, file: String, place: String? = nil, expected: String, found: String) {
        self.kind = kind
        self.file = file
        self.place = place
        self.expected = expected
        self.found = found
        tensorFileError = nil
        (missing, extra, misshapen) = ([], [], [])
    }

    init(_ error: TensorFileError) {
        kind = error.kind == .outOfMemory ? .outOfMemory : .tensorFile
        file = error.file
        place = error.place
        expected = error.expected
        found = error.found
        tensorFileError = error
        (missing, extra, misshapen) = ([], [], [])
    }

    /// A difference between the tensors that are there and those that the model has.
    init(file: String, missing: [String], extra: [String], misshapen: [Misshapen]) {
        kind = .tensors
        self.file = file
        place = nil
        expected = "the tensors of the model"
        let lists = [
            Self.list("missing", missing.map(MessageText.quoted)),
            Self.list("extra", extra.map(MessageText.quoted)),
            Self.list("misshapen", misshapen.map(\.shown)),
        ]
        found = lists.compactMap { $0 }.joined(separator: "; ")
        tensorFileError = nil
        self.missing = missing
        self.extra = extra
        self.misshapen = misshapen
    }

    /// `3 missing ("a", "b", …)`; nil for none. At most six are named.
    private static func list(_ word: String, _ shown: [String]) -> String? {
        if shown.isEmpty { return nil }
        let some = shown.prefix(6).joined(separator: ", ")
        return "\(shown.count) \(word) (\(some)\(shown.count > 6 ? ", …" : ""))"
    }

    /// One line: `FILE: PLACE: expected …, found …`.
    public var description: String {
        let parts = [MessageText.path(file), place].compactMap { $0 }
        return parts.joined(separator: ": ") + ": expected \(expected), found \(found)"
    }
}
