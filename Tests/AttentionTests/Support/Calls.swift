import AttentionCore
import AttentionReference

@testable import Attention

/// A call small enough for the reference, with values that repeat nowhere.
func smallInputs(
    batch: Int = 2, queryHeads: Int = 4, keyValueHeads: Int = 2, queryLength: Int = 5, keyLength: Int = 7,
    headDimension: Int = 8, valueDimension: Int = 6, seed: UInt64 = 1, mask: AttentionMask = .causal
) throws -> AttentionInputs {
    var random = Numbers(state: seed)
    let shape = AttentionShape(
        batch: batch, queryHeads: queryHeads, keyValueHeads: keyValueHeads, queryLength: queryLength,
        keyLength: keyLength, headDimension: headDimension, valueDimension: valueDimension)
    return AttentionInputs(
        query: try random.tensor(shape.queryShape), key: try random.tensor(shape.keyShape),
        value: try random.tensor(shape.valueShape), mask: mask)
}

extension AttentionInputs {
    /// What the reference says.
    func expected(_ options: AttentionOptions = .init()) throws -> [UInt8] {
        try Device.reference.attend(self, options).output.contiguousBytes()
    }
}

/// Uniform in −1..<1, the same on every machine (SplitMix64).
struct Numbers {
    var state: UInt64

    mutating func next() -> Float {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Float((z ^ (z >> 31)) >> 40) / Float(1 << 23) - 1
    }

    mutating func tensor(_ shape: [Int]) throws -> Tensor {
        try Tensor((0..<shape.reduce(1, *)).map { _ in next() }, shape: shape)
    }
}

extension Device {
    /// A device of this backend that says nothing. `others` can be opened besides; there is no native path.
    static func quiet(
        _ backend: any Backend, lastResort: any Backend = ReferenceBackend(),
        others: [DevicePreference: any Backend] = [:], now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) -> Device {
        let chain = FallbackChain(now: now) { (preference) throws(AttentionError) in
            if let other = others[preference] { return other }
            if preference == .reference { return lastResort }
            throw .noDevice(requested: "\(preference)", reason: "it is not here")
        }
        var device = Device(
            backend: backend, standbys: chain, skipped: [], logger: .init(label: "test"), now: now)
        device.logger.logLevel = .critical
        return device
    }
}
