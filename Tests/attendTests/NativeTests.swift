import Foundation
import TensorFiles
import Testing

/// `attend` without OpenCL.
@Suite(.enabled(if: Attend.isBuilt, "attend is not built beside the tests"))
struct NativeTests {
    private static let nowhere = ["ATTEND_OPENCL_LIBRARY": "/nonexistent/libOpenCL.so.1"]

    private func run(
        _ flags: [String], environment: [String: String] = [:], in folder: TemporaryFolder
    ) throws -> Attend.Result {
        let path = try folder.write(SmallCase.operands, metadata: [:], to: "in.safetensors")
        return try Attend.run(
            ["run", path, "-o", folder.path("out.safetensors")] + flags, environment: environment, in: folder)
    }

    @Test func aMachineWithoutLoaderEndsWellAndSaysSo() throws {
        let folder = try TemporaryFolder()
        let result = try run(["--json"], environment: Self.nowhere, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try SmallCase.read("Y", from: folder.path("out.safetensors")) == SmallCase.mean)
        let json = try #require(result.json)
        #expect((json["device"] as? [String: Any])?["kind"] as? String == "native")
        #expect(json["build"] as? String == "native")
        #expect((json["fallbacks"] as? [[String: Any]])?.count == 1)
        #expect(result.errorLines.count == 1)
        let gpu = try run(["--device", "gpu"], environment: Self.nowhere, in: folder)
        #expect(gpu.status == 69)
    }

    /// The native path has no float64; what goes on is what the policy says.
    @Test func fallbackPoliciesAreFollowed() throws {
        let folder = try TemporaryFolder()
        let operands = ["Q", "K", "V"].map { name in
            let one: [UInt8] = [0, 0, 0, 0, 0, 0, 240, 63]
            return TensorFileTensor(name: name, elementType: .float64, shape: [1, 1, 1, 1], bytes: one)
        }
        let path = try folder.write(operands, metadata: [:], to: "f64.safetensors")
        // How many could not: one that was named and is not there is among them.
        let policies = [("automatic", Int32(0), 1), ("reference", 0, 1), ("gpu,reference", 0, 2), ("never", 69, 0)]
        for (policy, status, count) in policies {
            let result = try Attend.run(
                ["run", path, "--device", "native", "--fallback", policy, "--time-limit", "100", "--json"],
                environment: Self.nowhere, in: folder)
            #expect(result.status == status, "\(policy): \(result.errors)")
            guard status == 0 else { continue }
            #expect((result.json?["device"] as? [String: Any])?["kind"] as? String == "reference")
            #expect((result.json?["fallbacks"] as? [[String: Any]])?.count == count)
        }
    }

    @Test func instructionSetsAndThreads() throws {
        let folder = try TemporaryFolder()
        for flags in [["--isa", "baseline"], ["--threads", "1"], ["--isa", "baseline", "--threads", "100"]] {
            let result = try run(["--device", "native", "--json"] + flags, in: folder)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors.isEmpty)
            let name = (result.json?["device"] as? [String: Any])?["name"] as? String
            #expect(flags.contains("--isa") ? name == "native (baseline)" : name?.hasPrefix("native (") == true)
        }
        let named = try run(["--device", "native", "--json"], environment: ["ATTEND_ISA": "baseline"], in: folder)
        #expect((named.json?["device"] as? [String: Any])?["name"] as? String == "native (baseline)")
        let unknown = try run(["--device", "native"], environment: ["ATTEND_ISA": "v9"], in: folder)
        #expect(unknown.status == 69)
        #expect(unknown.errors.contains("ATTEND_ISA"))
    }
}
