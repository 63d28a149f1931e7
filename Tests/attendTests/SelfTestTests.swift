import Foundation
import TestSupport
import Testing

/// Self-tests as a user of the command line meets them: in child processes, kept on disk.
@Suite(.enabled(if: Attend.isBuilt, "attend is not built beside the tests"))
struct SelfTestTests {
    private static let on = ["ATTEND_SELF_TEST": "automatic"]

    /// The first OpenCL device that can be used; `nil` without one.
    private func device(_ folder: TemporaryFolder) throws -> String? {
        let devices = try Attend.run(["devices", "--json"], in: folder).json?["devices"] as? [[String: Any]]
        return devices?.first { ($0["reason"] as? String) != nil && ($0["family"] as? String) == "wide" }
            .flatMap { $0["selector"] as? String }.flatMap { $0.hasPrefix("opencl") ? $0 : nil }
    }

    private func entries(_ folder: TemporaryFolder) throws -> [[String: Any]] {
        try #require(try Attend.run(["cache", "show", "--json"], in: folder).json?["entries"] as? [[String: Any]])
    }

    private func verdicts(_ device: String, _ folder: TemporaryFolder) throws -> [String: Any] {
        let devices = try Attend.run(["devices", "--json"], in: folder).json?["devices"] as? [[String: Any]]
        let row = try #require(devices?.first { $0["selector"] as? String == device })
        return try #require(row["verdicts"] as? [String: Any])
    }

    @Test func aChildTriesTheKernelOnce() throws {
        let folder = try TemporaryFolder()
        guard let device = try device(folder) else { return }
        let path = try folder.write(SmallCase.operands, to: "case.safetensors")
        let arguments = ["run", path, "--device", device, "--fallback", "never", "--json"]
        let first = try Attend.run(arguments, environment: Self.on, in: folder)
        #expect(first.status == 0, "\(first.errors)")
        // The child compiled it.
        #expect(first.json?["build"] as? String == "cached")
        let kept = try entries(folder)
        let judged = kept.filter { $0["kind"] as? String == "verdict" }
        #expect(!judged.isEmpty)
        #expect(judged.count == kept.count - judged.count)
        let kernel = try #require(first.json?["kernel"] as? String)
        let own = try #require(try verdicts(device, folder)[kernel] as? [String: Any])
        #expect((own["passed"] as? Int ?? 0) > 0)
        #expect((own["quarantined"] as? [Any])?.isEmpty == true)
        // A helper that cannot answer is not asked again.
        let again = try Attend.run(
            arguments, environment: Self.on.merging(["ATTEND_HELPER": "/bin/false"]) { $1 }, in: folder)
        #expect(again.status == 0 && again.json?["kernel"] as? String == kernel)
        let cleared = try Attend.run(["cache", "clear", "--verdicts", "--json"], in: folder)
        #expect(cleared.json?["removed"] as? Int == judged.count)
        #expect(try verdicts(device, folder).isEmpty)
    }

    @Test func aCrashTakesNobodyAlong() throws {
        let folder = try TemporaryFolder()
        guard let device = try device(folder) else { return }
        let path = try folder.write(SmallCase.operands, to: "case.safetensors")
        let helper = folder.path("helper.sh")
        try Script.write("kill -SEGV $$", if: "ATTEND_SELF_TEST_REQUEST", to: helper)
        let environment = Self.on.merging(["ATTEND_HELPER": helper]) { $1 }
        let result = try Attend.run(
            ["run", path, "--device", device, "--output", folder.path("out"), "--json"], environment: environment,
            in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try SmallCase.read("Y", from: folder.path("out")) == SmallCase.mean)
        let fallbacks = try #require(result.json?["fallbacks"] as? [[String: Any]])
        #expect((fallbacks.first?["reason"] as? String)?.contains("ended by signal 11") == true)
        let listed = try Attend.run(["devices"], in: folder)
        #expect(listed.output.contains("staged crashed: its process was ended by signal 11"))
        #expect(try Attend.run(["cache", "show"], in: folder).output.contains("staged crashed"))
        // Verification is a test of its own.
        let verified = try Attend.run(
            ["verify", "--device", device, "--filter", "edge:one", "--json"], environment: environment, in: folder)
        #expect(verified.status == 0, "\(verified.errors)")
    }

    /// Steps of layers pass the same gate, and one child tries the kernels of a process one after another.
    @Test func layersAreTriedToo() throws {
        let folder = try TemporaryFolder()
        guard let device = try device(folder) else { return }
        let path = try SmallModels.additiveLayer(in: folder)
        let arguments = ["layer", path, "--device", device, "--fallback", "never", "--json"]
        let first = try Attend.run(arguments, environment: Self.on, in: folder)
        #expect(first.status == 0, "\(first.errors)")
        let judged = try verdicts(device, folder)
        let own = try #require(judged["additive_wide"] as? [String: Any], "\(judged)")
        #expect(own["passed"] as? Int == 1)
        let helper = ["ATTEND_HELPER": "/bin/false"]
        #expect(try Attend.run(arguments, environment: Self.on.merging(helper) { $1 }, in: folder).status == 0)
        // Without a verdict the helper's failure is the kernel's: native code goes on where that may be.
        _ = try Attend.run(["cache", "clear", "--verdicts", "--json"], in: folder)
        let failing = try Attend.run(arguments, environment: Self.on.merging(helper) { $1 }, in: folder)
        #expect(failing.status == 69)
        #expect(failing.errors.contains("additive_wide: quarantined, as its self-test crashed"), "\(failing.errors)")
        let result = try Attend.run(
            ["layer", path, "--device", device, "--json"], environment: Self.on.merging(helper) { $1 }, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect((result.json?["fallbacks"] as? [[String: Any]])?.isEmpty == false)
    }

    @Test func aFamilyIsForcedOnLayers() throws {
        let folder = try TemporaryFolder()
        let path = try SmallModels.additiveLayer(in: folder)
        let forced = ["--force-family", "tiled"]
        let refused = try Attend.run(["layer", path, "--device", "native"] + forced, in: folder)
        #expect(refused.status == 69 && refused.errors.contains("tiled"), "\(refused.errors)")
        let skipped = try Attend.run(["conform", path, "--device", "native", "--json"] + forced, in: folder)
        #expect(skipped.json?["skipped"] as? Int == 1)
        guard let device = try device(folder) else { return }
        // What was compiled tells the family.
        for (family, kernel) in [("wide", "additive_wide"), ("tiled", "additive_tiled")] {
            let result = try Attend.run(
                ["layer", path, "--device", device, "--fallback", "never", "--force-family", family],
                environment: Self.on, in: folder)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try verdicts(device, folder)[kernel] != nil)
        }
        let verified = try Attend.run(
            ["verify", "--device", device, "--filter", "layer:copy:", "--json"] + forced, in: folder)
        #expect(verified.status == 0 && verified.json?["skipped"] as? Int == 0, "\(verified.errors)")
        let listed = try Attend.run(["verify", "--device", "native", "--filter", "layer:copy:", "--list"], in: folder)
        #expect(listed.output.split(separator: "\n").count == verified.json?["cases"] as? Int)
    }

    @Test func aRequestOfAnotherVersionIsAnswered() throws {
        let folder = try TemporaryFolder()
        let result = try Attend.run(
            ["run", "nothing"], environment: ["ATTEND_SELF_TEST_REQUEST": "{\"selector\": 7}"], in: folder)
        #expect(result.status == 0)
        #expect(result.json?["impossible"] as? String == "another version asks")
    }
}
