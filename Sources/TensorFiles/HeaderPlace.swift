/// A place in a header, spelled out only when an error names it.
enum HeaderPlace {
    case tensor(String)
    case field(String, of: String)
    case metadata
    case metadataKey(String)
    case byte(Int)

    /// Escaped and cut, fit for a message.
    var text: String {
        switch self {
        case .tensor(let name): MessageText.tensor(name)
        case .field(let field, let name): "\(MessageText.tensor(name)): \(field)"
        case .metadata: Header.metadataKey
        case .metadataKey(let key): "metadata key \(MessageText.quoted(key))"
        case .byte(let position): "header byte \(position)"
        }
    }
}
