/// What a program is compiled with. Only definitions of plain names by plain words are possible: compiler options are code, and a
/// value like `1;call()` would run.
public struct BuildOptions: Hashable, Sendable, CustomStringConvertible {
    /// A `-D` flag.
    public struct Definition: Hashable, Sendable {
        public let name: String
        public let value: String
    }

    public let definitions: [Definition]

    public init() { definitions = [] }

    /// - Throws: ``OpenCLError/invalidArgument(_:)`` for a name that is no identifier or a value that is no identifier or integer.
    public init(definitions: [(name: String, value: String)]) throws(OpenCLError) {
        for (name, value) in definitions {
            guard Self.isWord(name), name.first?.isNumber == false else {
                throw .invalidArgument("'\(name)' is no name for a definition")
            }
            guard Self.isWord(value) || (value.first == "-" && Self.isWord(value.dropFirst())) else {
                throw .invalidArgument("'\(value)' is no value for the definition of \(name)")
            }
        }
        self.definitions = definitions.map { Definition(name: $0.name, value: $0.value) }
    }

    /// As the driver's compiler takes it. Fast-math flags are never given: they break infinities.
    public var description: String {
        (["-cl-std=CL1.2"] + definitions.map { "-D\($0.name)=\($0.value)" }).joined(separator: " ")
    }

    private static func isWord(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
