/// What a program is built with: the language version and macro definitions, and nothing else.
///
/// On CPU drivers kernel text is native code, and an option string can carry text: so names are C identifiers and
/// values whole numbers or identifiers. No flag that lets a compiler assume there are no infinities can be given.
public struct BuildOptions: Hashable, Sendable {
    /// The OpenCL C version (`-cl-std`).
    public enum Standard: String, Hashable, Sendable {
        case openCLC12 = "CL1.2"
        case openCLC20 = "CL2.0"
        case openCLC30 = "CL3.0"
    }

    /// What a macro stands for.
    public enum Value: Hashable, Sendable, ExpressibleByIntegerLiteral {
        case integer(Int64)
        case identifier(String)

        public init(integerLiteral value: Int64) { self = .integer(value) }

        /// As the macro's definition has it.
        public var text: String {
            switch self {
            case .integer(let number): "\(number)"
            case .identifier(let word): word
            }
        }
    }

    /// The option string the driver gets, such as `-cl-std=CL1.2 -DHEAD_DIMENSION=64`.
    public let flags: String

    /// - Parameters:
    ///   - standard: The language version.
    ///   - definitions: Macros in the order they are given; each name once.
    /// - Throws: ``OpenCLError/invalidArgument(operation:reason:)`` for a name or value that is no identifier.
    public init(
        standard: Standard = .openCLC12, definitions: [(name: String, value: Value)] = []
    ) throws(OpenCLError) {
        var flags = "-cl-std=\(standard.rawValue)"
        var names: Set<String> = []
        for (name, value) in definitions {
            guard Self.isIdentifier(name) else {
                throw .invalidArgument(
                    operation: "build options", reason: "\(name.debugDescription) cannot name a macro")
            }
            guard names.insert(name).inserted else {
                throw .invalidArgument(operation: "build options", reason: "\(name) is defined twice")
            }
            switch value {
            case .integer(let number):
                flags += " -D\(name)=\(number)"
            case .identifier(let word):
                guard Self.isIdentifier(word) else {
                    throw .invalidArgument(
                        operation: "build options", reason: "\(name) cannot stand for \(word.debugDescription)")
                }
                flags += " -D\(name)=\(word)"
            }
        }
        self.flags = flags
    }

    private init(flags: String) { self.flags = flags }

    /// OpenCL C 1.2 and no macro.
    public static let standard = BuildOptions(flags: "-cl-std=CL1.2")

    static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
            default: false
            }
        }
    }
}
