import Attention
import Foundation

/// The parts of JSON that several commands print alike.
extension JSON {
    static func device(_ device: DeviceDescription) -> JSON {
        .object([
            ("name", .string(device.name)), ("platform", .string(device.platform)),
            ("kind", .string(device.kind.rawValue)), ("selector", .string(device.selector)),
        ])
    }

    static func shape(_ shape: AttentionShape) -> JSON {
        .object([
            ("batch", .int(shape.batch)), ("query_heads", .int(shape.queryHeads)),
            ("key_value_heads", .int(shape.keyValueHeads)), ("query_length", .int(shape.queryLength)),
            ("key_length", .int(shape.keyLength)), ("head_dimension", .int(shape.headDimension)),
            ("value_dimension", .int(shape.valueDimension)),
        ])
    }

    static func fallbacks(_ fallbacks: [(from: String, reason: String)]) -> JSON {
        .array(fallbacks.map { .object([("from", .string($0.from)), ("reason", .string($0.reason))]) })
    }

    init(_ limit: DeviceCandidate.Limit) {
        switch limit {
        case .number(let value): self = .int(value)
        case .text(let value): self = .string(value)
        case .flag(let value): self = .bool(value)
        }
    }

    init(_ verdict: KernelVerdict) {
        self = .object([
            ("kernel", .string(verdict.kernel)), ("outcome", .string(verdict.outcome.rawValue)),
            ("reason", .string(verdict.reason)), ("date", .string(verdict.date.formatted(.iso8601))),
        ])
    }

    init(_ tuning: KernelTuning) {
        self = .object([
            ("kernel", .string(tuning.kernel)),
            ("parameters", .object(tuning.sizes.sorted { $0.key < $1.key }.map { ($0.key, .int($0.value)) })),
            ("shape", .string(tuning.shape)), ("before_ms", .double(tuning.before)),
            ("after_ms", .double(tuning.after)),
            ("date", .string(tuning.date.formatted(.iso8601))),
        ])
    }

    /// A ratio; one beyond all numbers is null.
    static func ratio(_ value: Double) -> JSON { value.isFinite ? .double(value) : .null }
}
