/// The sizes that a kernel's text takes, by their names there.
public struct TileSpace: Hashable, Sendable {
    public struct Size: Hashable, Sendable {
        public let name: String
        /// What the text can be compiled with.
        public let allowed: [Int]
        /// What a search looks at, ascending.
        public let tried: [Int]

        public init(_ name: String, _ allowed: [Int], tried: [Int]? = nil) {
            self.name = name
            self.allowed = allowed
            self.tried = tried ?? allowed
        }
    }

    public let sizes: [Size]

    public init(_ sizes: [Size]) { self.sizes = sizes }

    /// Why `given` is not possible; `nil` if each of it is. Sizes may still not go together.
    public func refusal(_ given: [String: Int]) -> String? {
        for (name, value) in given.sorted(by: { $0.key < $1.key }) {
            guard let size = sizes.first(where: { $0.name == name }) else {
                let known = sizes.map(\.name).joined(separator: ", ")
                return "there is no tile size \(name)" + (known.isEmpty ? "" : "; it has: \(known)")
            }
            guard !size.allowed.contains(value) else { continue }
            return "\(name) is \(value), not \(Self.text(size.allowed))"
        }
        return nil
    }

    /// `sizes` with one of them a step up or down, as far as a search looks.
    public func neighbours(of sizes: [String: Int], along size: Size) -> [[String: Int]] {
        guard let value = sizes[size.name] else { return [] }
        return [size.tried.first { $0 > value }, size.tried.last { $0 < value }].compactMap { next in
            next.map { sizes.merging([size.name: $0]) { $1 } }
        }
    }

    private static func text(_ values: [Int]) -> String {
        guard let first = values.first, let last = values.last else { return "anything" }
        return values == Array(first...last) && values.count > 1
            ? "\(first) to \(last)" : values.map(String.init).joined(separator: ", ")
    }
}
