/// Elements moved between tensors of the same shape, or zeros.
///
///     target[i, …] = source[entries[i], …]
public struct CopyOperation: Sendable {
    /// The most dimensions.
    public static let mostRank = 4

    /// `nil` writes zeros.
    public let source: Tensor?
    /// Which entry of the source's first dimension each of the target's takes; `nil` is each its own.
    public let entries: [Int32]?
    /// In no memory of the source.
    public let target: Tensor

    /// - Throws: ``AttentionError/invalid(_:)`` for shapes or types that do not fit, a rank above 4, or a target that overlaps itself.
    public init(source: Tensor?, entries: [Int32]? = nil, target: Tensor) throws(AttentionError) {
        guard target.rank >= 1, target.rank <= Self.mostRank else {
            throw .invalid("target", .rank, expected: "1 … \(Self.mostRank)", found: "\(target.rank)")
        }
        guard !target.layout.mayOverlapItself else {
            throw .invalid("target", .overlap, expected: "elements that are apart", found: "strides \(target.strides)")
        }
        if let source {
            guard source.elementType == target.elementType else {
                throw .invalid(
                    "source", .elementType, expected: "\(target.elementType)", found: "\(source.elementType)")
            }
            var expected = target.shape
            if entries != nil, source.rank == target.rank { expected[0] = source.shape[0] }
            guard source.shape == expected else {
                throw .invalid("source", .shape, expected: "\(expected)", found: "\(source.shape)")
            }
            if let entries {
                guard entries.count == target.shape[0] else {
                    throw .invalid("entries", .count, expected: "\(target.shape[0])", found: "\(entries.count)")
                }
                if let wrong = entries.first(where: { $0 < 0 || Int($0) >= source.shape[0] }) {
                    throw .invalid("entries", .value, expected: "0 ..< \(source.shape[0])", found: "\(wrong)")
                }
            }
        } else if entries != nil {
            throw .invalid("entries", .combination, expected: "a source to take them from", found: "none")
        }
        (self.source, self.entries, self.target) = (source, entries, target)
    }

    func mapped(
        _ input: (Tensor) throws(AttentionError) -> Tensor, _ output: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) -> CopyOperation {
        var source: Tensor?
        if let tensor = self.source { source = try input(tensor) }
        return try CopyOperation(source: source, entries: entries, target: try output(target))
    }
}
