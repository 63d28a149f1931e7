import AttentionCore
import Foundation

/// The kernel and tiles that a search found to be the fastest for a class of calls on one device with one driver.
public struct KernelTuning: Codable, Hashable, Sendable {
    /// As plans name it.
    public let kernel: String
    /// Tile sizes by their names in the kernel's text.
    public let sizes: [String: Int]
    /// The call that was timed.
    public let shape: String
    /// Medians with the kernel and tiles of an untuned plan and with these, in milliseconds.
    public let before: Double
    public let after: Double
    public let date: Date

    public init(kernel: String, sizes: [String: Int], shape: String, before: Double, after: Double) {
        self.kernel = kernel
        self.sizes = sizes
        self.shape = shape
        self.before = before
        self.after = after
        date = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded())
    }

    /// Why a plan has these tiles, in a line.
    var reason: String {
        "tuned on \(date.formatted(.iso8601.year().month().day())) at \(shape): \(Self.text(before)) → \(Self.text(after)) ms"
    }

    private static func text(_ milliseconds: Double) -> String { String(format: "%.3g", milliseconds) }
}

/// A tuning as it lies on disk, with what it was found for.
struct KeptTuning: KeptRecord {
    /// The digest of the kernel's text: another text may be fastest with other tiles, or be wrong with these.
    let text: String
    let tuning: KernelTuning

    init(text: String, tuning: KernelTuning) {
        self.text = text
        self.tuning = tuning
    }
}
