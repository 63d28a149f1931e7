import Attention
import OpenCLRuntime
import TestSupport
import Testing

@_spi(Testing) @testable import AttentionOpenCL
@testable import Transformers

/// A device that fails in the middle of generation is nobody's business: the tokens are those of a healthy one.
@Suite(.serialized) struct GenerationFaultTests {
    /// Sequences before the first token: the encoder, and what the decoder attends of it.
    private static let before = 2
    /// A model that takes its time.
    private static let seed: UInt64 = 15

    private func generate(
        _ backend: any Backend, beams: Int, fallback: FallbackPolicy = .automatic
    ) throws -> (result: [[GeneratedSequence]], fallbacks: [Fallback]) {
        var device = Device(backend: backend)
        device.logger.logLevel = .critical
        let model = try GenerationTests.model(device, seed: Self.seed)
        let pass = ForwardPass(device, fallback: fallback)
        let options = GenerationOptions(start: 1, end: 2, beams: beams, lengthPenalty: 0.5)
        return (try model.generate(GenerationTests.sources, options, pass: pass), pass.fallbacks)
    }

    @Test(arguments: [1, 3], LateBackend.Moment.allCases)
    func failuresChangeNoToken(beams: Int, moment: LateBackend.Moment) throws {
        let healthy = try LateBackend()
        let expected = try generate(healthy, beams: beams)
        #expect(expected.fallbacks.isEmpty)
        let last = healthy.sequences
        #expect(last > Self.before + 6)
        // The encoder, the first steps, one in the middle, and the last ones.
        let steps = Self.before + 1
        for failing in [1, 2, steps, steps + 1, (steps + last) / 2, last - 1, last] {
            // What comes before the first token is not read by the host.
            if moment == .read && failing <= Self.before { continue }
            let backend = try LateBackend(moment, failing: failing)
            let found = try generate(backend, beams: beams)
            #expect(backend.failures == 1)
            #expect(found.result == expected.result, "sequence \(failing) of \(last), \(moment)")
            #expect(found.fallbacks.contains { $0.from == "late" && $0.reason.contains("CL_OUT_OF_RESOURCES") })
            #expect(throws: AttentionError.self) {
                _ = try generate(try LateBackend(moment, failing: failing), beams: beams, fallback: .never)
            }
        }
    }

    /// A driver's own failures: kernels that were taken and end in an error.
    @Test(.enabled(if: FaultyLoader.absence == nil, "no C compiler on this machine"), arguments: [1, 3])
    func failuresOfADriver(beams: Int) throws {
        let loader = try FaultyLoader()
        let library = try OpenCLLibrary.open(path: loader.path)
        let wide = try OpenCLDiscovery.platforms(of: library).indices.lazy.flatMap {
            (try? OpenCLDiscovery.candidates(platform: $0, of: library)) ?? []
        }.first { $0.unsuitableReason == nil && $0.family == "wide" }
        guard let wide else { return print("no OpenCL device with wide vectors on this machine") }
        let backend = try wide.makeBackend()
        let expected = try generate(backend, beams: beams)
        let launches = try loader.calls { _ = try generate(backend, beams: beams) }["clEnqueueNDRangeKernel"] ?? 0
        #expect(launches > 100)
        // From the encoder to the last step, and those in which the first and the last token are chosen.
        for launch in Set(stride(from: 1, through: launches, by: max(launches / 12, 1))).union([launches]).sorted() {
            loader.arm(FaultyLoader.event, call: launch, status: -5)
            let found = try generate(backend, beams: beams)
            #expect(loader.disarm() == 1)
            #expect(
                found.result.map { $0.map(\.tokens) } == expected.result.map { $0.map(\.tokens) }, "launch \(launch)")
            #expect(!found.fallbacks.isEmpty, "launch \(launch)")
        }
    }
}
