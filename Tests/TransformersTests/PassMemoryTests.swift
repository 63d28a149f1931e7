import Attention
import AttentionCore
import Foundation
import Synchronization
import Testing

@testable import Transformers

/// A pass gives memory to later steps once its last reader has run: what it takes does not grow with the number of layers.
@Suite(.serialized) struct PassMemoryTests {
    private static let configuration = LayerConfiguration(modelDimension: 32, heads: 4, hiddenDimension: 128)
    private static let parameters = Parameters(RandomParameters(seed: 5))

    /// Stacks of layers, and ways to call a layer again and again within one pass.
    enum Work: CaseIterable {
        case encoder, preNormEncoder, decoder, layersOneByOne, addedKeys, crossAttention, rotary, feedForward, additive
        case memoryNetwork, embedding
    }

    /// The most bytes that tensors of the device took at once.
    private func peak(_ work: Work, layers: Int, _ inner: any Backend) throws -> Int {
        let backend = CountingBackend(inner)
        let device = Device(backend: backend)
        let pass = ForwardPass(device)
        let input = try numbers([2, 24, 32], 7, on: .reference)
        var configuration = Self.configuration
        configuration.isNormFirst = work == .preNormEncoder
        func attention(_ change: (inout MultiHeadAttention.Configuration) -> Void) throws -> MultiHeadAttention {
            var made = configuration.selfAttention
            change(&made)
            return try MultiHeadAttention(Self.parameters, made, device: device)
        }
        var rows = input
        switch work {
        case .encoder, .preNormEncoder:
            let encoder = try Encoder(Self.parameters, configuration, count: layers, device: device)
            backend.reset()
            rows = try encoder(rows, pass: pass)
        case .decoder:
            let decoder = try Decoder(Self.parameters, configuration, count: layers, device: device)
            backend.reset()
            rows = try decoder(rows, memory: input, pass: pass)
        case .layersOneByOne:
            let layer = try EncoderLayer(Self.parameters, configuration, device: device)
            backend.reset()
            for _ in 0..<layers { rows = try layer(rows, pass: pass) }
        case .addedKeys:
            let layer = try attention { ($0.addsLearnedKey, $0.addsZeroKey) = (true, true) }
            backend.reset()
            for _ in 0..<layers { rows = try layer(rows, pass: pass) }
        case .crossAttention:
            let layer = try attention { $0.addsZeroKey = true }
            backend.reset()
            for _ in 0..<layers { rows = try layer(rows, key: input, pass: pass) }
        case .rotary:
            let positions = try RotaryPositions(positions: 24, dimension: 8, device: device)
            let layer = try MultiHeadAttention(
                Self.parameters, configuration.selfAttention, rotary: positions, device: device)
            backend.reset()
            for _ in 0..<layers { rows = try layer(rows, key: rows, pass: pass) }
        case .feedForward:
            let layer = try configuration.feedForward(Self.parameters, device)
            backend.reset()
            for _ in 0..<layers { rows = try layer(rows, pass: pass) }
        case .additive:
            let weight = try numbers([32, 32], 8, on: .reference)
            let layer = try AdditiveAttention(
                queryWeight: weight, keyWeight: weight, scoreWeight: try numbers([32], 9, on: .reference),
                device: device)
            backend.reset()
            for _ in 0..<layers { rows = try layer.attending(rows, key: input, value: input, pass: pass).output }
        case .memoryNetwork:
            let network = try MemoryNetwork(device: device)
            let memory = try numbers([2, 2, 24, 32], 9, on: .reference)
            var state = try numbers([2, 32], 3, on: .reference)
            backend.reset()
            for _ in 0..<layers {
                state = try network(state, inputMemory: memory, outputMemory: memory, pass: pass).output
            }
            rows = state
        case .embedding:
            let embedding = try Embedding(table: try numbers([8, 32], 8, on: .reference), device: device)
            backend.reset()
            // A little more each time, as whole sequences take that grow by a token a step.
            for length in 1...4 * layers { rows = try embedding([Int32](repeating: 3, count: length), pass: pass) }
        }
        #expect(try rows.doubles().allSatisfy { $0.isFinite })
        return backend.peak
    }

    @Test(arguments: Work.allCases) func peakDoesNotGrowWithLayers(_ work: Work) throws {
        // Pieces of memory grow for a few layers, until each is large enough for all that come by.
        let few = try peak(work, layers: 6, try NativeBackend())
        let many = try peak(work, layers: 48, try NativeBackend())
        #expect(few > 0)
        // The longest sequence is 8 times that of few.
        #expect(many <= (work == .embedding ? 9 * few : few), "\(work): \(few) bytes for 6 layers, \(many) for 48")
    }
}

#if canImport(Glibc)
    /// What the process takes for a real size. Other tests would count too, so that this runs alone: see the Makefile.
    @Suite(
        .serialized,
        .enabled(
            if: ProcessInfo.processInfo.environment["ATTEND_MEASURE_MEMORY"] != nil, "needs a process of its own"))
    struct PassResidentMemoryTests {
        /// The most resident memory since ``resetPeak()``, in bytes.
        private static var peak: Int {
            let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
            return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
        }

        private static func resetPeak() {
            try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
        }

        /// 12 layers over 64 sequences of 128 tokens, called one by one within a pass: what they take above their input is little
        /// more than what the largest step takes.
        @Test func layersTakeTheMemoryOfOne() throws {
            let device = try Device.native()
            let layers = try (0..<12).map {
                try EncoderLayer(
                    Parameters(RandomParameters(seed: UInt64($0))),
                    LayerConfiguration(modelDimension: 256, heads: 4, hiddenDimension: 1024), device: device)
            }
            let input = try numbers([64, 128, 256], 1, on: device)
            var peaks: [Int] = []
            for count in [2, 2, 12] {
                let pass = ForwardPass(device)
                Self.resetPeak()
                let before = Self.peak
                let clock = ContinuousClock()
                let time = try clock.measure {
                    var rows = input
                    for layer in layers.prefix(count) { rows = try layer(rows, pass: pass) }
                }
                peaks.append(Self.peak - before)
                print("\(count) layers: \(peaks.last ?? 0) bytes above \(before), \(time)")
            }
            #expect(peaks[2] <= peaks[1] + 4 << 20)
        }
    }
#endif

/// Another backend, with the memory of its tensors counted.
final class CountingBackend: Backend {
    private let inner: any Backend
    fileprivate let now = Atomic<Int>(0)
    private let most = Atomic<Int>(0)

    init(_ inner: any Backend) { self.inner = inner }

    /// The most bytes at once since the last reset.
    var peak: Int { most.load(ordering: .relaxed) }
    func reset() { most.store(now.load(ordering: .relaxed), ordering: .relaxed) }

    var device: DeviceDescription { inner.device }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        try inner.plan(problem, policy)
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        let bytes = now.add(byteCount, ordering: .relaxed).newValue
        most.max(bytes, ordering: .relaxed)
        return CountedStorage(try inner.makeStorage(byteCount: byteCount), self)
    }

    func prepare(weight: Tensor) throws(AttentionError) -> any PreparedWeight { try inner.prepare(weight: weight) }

    func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError) {
        try inner.perform(operation, control)
    }

    func sequence<Result>(_ body: () throws(AttentionError) -> Result) throws(AttentionError) -> Result {
        try inner.sequence(body)
    }
}

private final class CountedStorage: TensorStorage {
    private let inner: any TensorStorage
    private let backend: CountingBackend

    init(_ inner: any TensorStorage, _ backend: CountingBackend) { (self.inner, self.backend) = (inner, backend) }

    deinit { backend.now.subtract(inner.byteCount, ordering: .relaxed) }

    var byteCount: Int { inner.byteCount }
    var place: String { inner.place }
    var hostBytes: UnsafeMutableRawBufferPointer? { inner.hostBytes }

    func download(from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(AttentionError) {
        try inner.download(from: offset, into: bytes)
    }

    func upload(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AttentionError) {
        try inner.upload(bytes, at: offset)
    }
}
