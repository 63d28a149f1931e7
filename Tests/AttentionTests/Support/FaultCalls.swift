import AttentionCore
import AttentionReference

@testable import Attention

/// The calls that are made while the driver fails: together they use everything of OpenCL that attention does.
enum FaultCall: String, CaseIterable, Sendable {
    /// One fused kernel on host memory in place.
    case fused
    /// The staged kernels, with the scores of the call.
    case staged
    /// Past and new keys put together first.
    case past
    /// A step of decoding on a paged cache: two kernels with scratch memory between them.
    case paged
    /// Operands and result in the device's own memory.
    case onDevice
    /// Operands and result in another device's memory, which is copied.
    case foreign
    /// With the times of its kernels.
    case profiled
}

/// A call with what the reference says of it.
final class PreparedCall: Sendable {
    let kind: FaultCall
    private let inputs: AttentionInputs
    private let options: AttentionOptions
    private let check: ReferenceCheck

    init(_ kind: FaultCall) throws {
        self.kind = kind
        var inputs = try smallInputs(queryLength: kind == .paged ? 1 : 9, keyLength: 7)
        var options = AttentionOptions(logSumExp: true)
        switch kind {
        case .fused, .profiled, .onDevice, .foreign: break
        case .staged: options.scores = .probabilities
        case .past:
            let old = try smallInputs(queryLength: 1, keyLength: 5, seed: 2)
            inputs.pastKey = old.key
            inputs.pastValue = old.value
        case .paged: inputs = try Self.paged(inputs)
        }
        self.inputs = inputs
        self.options = options
        check = try ReferenceCheck(AttentionProblem(inputs, options), inputs)
    }

    private static func paged(_ inputs: AttentionInputs) throws -> AttentionInputs {
        let cache = try PagedKeyValueCache(
            device: .reference, sequences: 2, keyValueHeads: 2, headDimension: 8, valueDimension: 6, blockSize: 4)
        // More keys than a chunk of the decoding kernel has.
        for seed in 0..<40 {
            let rows = try smallInputs(seed: UInt64(seed))
            try cache.append(key: rows.key, value: rows.value)
        }
        return cache.inputs(for: inputs.query, mask: .causal)
    }

    /// The operands where the call wants them, which is where a driver can fail before the call has begun.
    func operands(on device: Device) throws(AttentionError) -> AttentionInputs {
        guard kind == .onDevice || kind == .foreign else { return inputs }
        let place = kind == .onDevice ? device : Self.foreignDevice
        var inputs = inputs
        inputs.query = try inputs.query.moved(to: place)
        inputs.key = try inputs.key.moved(to: place)
        inputs.value = try inputs.value.moved(to: place)
        return inputs
    }

    private static let foreignDevice = Device.quiet(FakeBackend())

    func run(
        _ operands: AttentionInputs, on device: Device, fallback: FallbackPolicy
    ) throws(AttentionError) -> AttentionResult {
        let control = RunControl(isProfiled: kind == .profiled)
        guard kind == .foreign else {
            return try device.attend(operands, options, fallback: fallback, control: control)
        }
        let output = try Self.foreignDevice.tensor(uninitialized: [2, 4, 9, 6])
        return try device.attend(operands, options, into: output, fallback: fallback, control: control)
    }

    /// What is wrong with the result; empty if nothing is.
    func findings(_ result: AttentionResult) throws -> [ReferenceCheck.Finding] {
        var outputs = result.outputs
        outputs.output = try outputs.output.onHost()
        outputs.logSumExp = try outputs.logSumExp?.onHost()
        outputs.scores = try outputs.scores?.onHost()
        outputs.presentKey = try outputs.presentKey?.onHost()
        outputs.presentValue = try outputs.presentValue?.onHost()
        return try check.findings(outputs)
    }
}
