extension AttentionShape {
    /// `[batch, queryHeads, queryLength, headDimension]`.
    public var queryShape: [Int] { [batch, queryHeads, queryLength, headDimension] }
    /// `[batch, keyValueHeads, keyLength, headDimension]`.
    public var keyShape: [Int] { [batch, keyValueHeads, keyLength, headDimension] }
    /// `[batch, keyValueHeads, keyLength, valueDimension]`.
    public var valueShape: [Int] { [batch, keyValueHeads, keyLength, valueDimension] }
}
