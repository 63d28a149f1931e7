/// A token that is found as written in the text, before the text is split into words: `[MASK]` and the like.
public struct AddedToken: Hashable, Sendable {
    /// What is looked for.
    public var content: String
    public var id: Int
    /// Whether decoding leaves it out.
    public var isSpecial: Bool
    /// Whether white space before it becomes part of it.
    public var stripsLeft: Bool
    /// Whether white space after it becomes part of it.
    public var stripsRight: Bool
    /// Whether it counts only where no letter, digit, mark or underscore touches it.
    public var isSingleWord: Bool
    /// Whether it is looked for in normalised text, itself normalised; else in the text as given.
    public var isNormalized: Bool

    /// A special token with no flag set, as BERT's are.
    public init(
        _ content: String, id: Int, isSpecial: Bool = true, stripsLeft: Bool = false, stripsRight: Bool = false,
        isSingleWord: Bool = false, isNormalized: Bool = false
    ) {
        self.content = content
        self.id = id
        self.isSpecial = isSpecial
        self.stripsLeft = stripsLeft
        self.stripsRight = stripsRight
        self.isSingleWord = isSingleWord
        self.isNormalized = isNormalized
    }
}
