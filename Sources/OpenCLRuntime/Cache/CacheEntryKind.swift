/// What a file of the cache is.
public enum CacheEntryKind: String, Hashable, Sendable, CaseIterable {
    /// A binary, as the driver gave it.
    case program
    /// What a self-test found about a kernel.
    case verdict
    /// The tiles that were fastest.
    case tuning

    var suffix: String {
        switch self {
        case .program: ".clbin"
        case .verdict, .tuning: ".\(rawValue)"
        }
    }

    /// - Parameter fileName: 64 hexadecimal digits and a suffix; nil for a file that is not the cache's.
    init?(fileName: String) {
        let found = Self.allCases.first {
            fileName.hasSuffix($0.suffix) && fileName.utf8.count == 64 + $0.suffix.utf8.count
        }
        guard let found else { return nil }
        self = found
    }
}
