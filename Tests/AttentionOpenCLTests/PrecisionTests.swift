import AttentionCore
import KernelCalls
import Testing

@_spi(Testing) @testable import AttentionOpenCL

/// Products in half: only for who asks for them, and only where they are.
@Suite(.serialized) struct PrecisionTests {
    typealias Named = DeviceProfileTests.Named

    private static func inputs(queries: Int) throws -> AttentionInputs {
        AttentionInputs(
            query: try Machine.numbers([1, 2, queries, 24], 1), key: try Machine.numbers([1, 2, 150, 24], 2),
            value: try Machine.numbers([1, 2, 150, 20], 3))
    }

    private func reason(_ backend: OpenCLBackend, _ policy: PlanPolicy) throws -> String? {
        do throws(AttentionError) {
            let tensor = try Tensor(zeros: [1, 1, 20, 8], elementType: .float32)
            _ = try backend.plan(
                try AttentionProblem(AttentionInputs(query: tensor, key: tensor, value: tensor)), policy)
        } catch {
            guard case .unsupported(_, let reason) = error else { return "\(error)" }
            return reason
        }
        return nil
    }

    @Test(arguments: Machine.devices.map { Named($0) }) func devicesWithoutHalvesRefuse(_ device: Named) throws {
        let backend = try device.candidate.makeBackend()
        guard !backend.profile.multipliesHalves else { return }
        for policy in [
            PlanPolicy(precision: .fast), PlanPolicy(kernel: "flash_tiled", precision: .fast),
            PlanPolicy(family: "tiled", precision: .fast),
        ] {
            #expect(try reason(backend, policy)?.hasPrefix("precision fast: the device does not report") == true)
        }
    }

    @Test(arguments: Machine.devices.map { Named($0) }) func onlyKernelsThatHaveItAreTaken(_ device: Named) throws {
        let backend = try device.candidate.makeBackend()
        guard backend.profile.multipliesHalves else { return }
        for kernel in ["staged", "flash_wide", "decode_wide"] {
            #expect(try reason(backend, PlanPolicy(kernel: kernel, precision: .fast))?.contains("'\(kernel)'") == true)
        }
        if device.candidate.family == "wide" {
            #expect(try reason(backend, PlanPolicy(precision: .fast))?.contains("compute in float") == true)
        }
        let long = PlanPolicy(kernel: "flash_tiled", tiles: ["CHUNK": 16], precision: .fast)
        #expect(try reason(backend, long)?.contains("CHUNK is 16") == true)
        let free = PlanPolicy(family: "tiled", precision: .fast)
        let tiled = try backend.plan(try AttentionProblem(Self.inputs(queries: 20)), free).explanation
        #expect(tiled.kernel == "flash_tiled" && tiled.choices.contains(HalfProducts.choice))
        let few = try backend.plan(try AttentionProblem(Self.inputs(queries: 1)), free).explanation
        #expect(few.kernel == "decode_split" && few.choices.contains(HalfProducts.needless))
    }

    /// The bits differ, by about what half precision has, and a plan without the wish has none of it.
    @Test(arguments: Machine.devices.map { Named($0) }) func halvesAreComputedWith(_ device: Named) throws {
        let backend = try device.candidate.makeBackend()
        guard backend.profile.multipliesHalves else { return }
        let inputs = try Self.inputs(queries: 20)
        func output(_ precision: Precision) throws -> [Float] {
            let policy = PlanPolicy(kernel: "flash_tiled", precision: precision)
            return try Machine.run(backend, inputs, AttentionOptions(), policy).0.output.floats()
        }
        let standard = try output(.standard)
        #expect(!backend.builtPrograms.contains { $0.flags.contains("HALF") })
        let difference = zip(standard, try output(.fast)).map { abs($0 - $1) }.max() ?? 0
        #expect(difference > 1e-5 && difference < 1e-2, "\(difference)")
    }

    /// Tunings of one precision are not those of the other; those of floats keep their names.
    @Test func tuningsAreApart() throws {
        let problem = try AttentionProblem(Self.inputs(queries: 20))
        let standard = ShapeClass(problem, PlanPolicy()).description
        #expect(standard.hasSuffix(" any"))
        #expect(ShapeClass(problem, PlanPolicy(precision: .fast)).description == standard + " fast")
    }
}
