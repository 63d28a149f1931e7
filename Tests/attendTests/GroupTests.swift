import Foundation
import Testing

/// `--device A+B`: devices that share each call.
@Suite(.enabled(if: Attend.isBuilt, "attend is not built beside the tests"))
struct GroupTests {
    private static let cases = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Conformance").path

    /// Every case file, cut in every way.
    @Test(arguments: ["heads", "batch", "rows", "keys"]) func caseFilesPass(_ axis: String) throws {
        let folder = try TemporaryFolder()
        let result = try Attend.run(
            ["conform", Self.cases, "--device", "native+reference", "--json"], environment: ["ATTEND_CUT": axis],
            in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let json = try #require(result.json)
        #expect(json["failed"] as? Int == 0)
        #expect((json["cases"] as? Int ?? 0) > 50)
    }

    @Test func resultsNameTheGroup() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(SmallCase.operands, to: "case.safetensors")
        let result = try Attend.run(
            ["run", path, "--device", "native+reference", "--output", folder.path("out"), "--json"], in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let device = try #require(result.json?["device"] as? [String: Any])
        #expect(device["selector"] as? String == "native+reference")
        #expect(device["kind"] as? String == "group")
        #expect((device["name"] as? String)?.hasSuffix(" + reference (Double)") == true)
        #expect(try SmallCase.read("Y", from: folder.path("out")) == SmallCase.mean)
    }

    @Test(arguments: ["native+native", "native+nobody", "opencl:99.0+native", "native+opencl:0.0/7of2"])
    func groupsThatCannotBe(_ device: String) throws {
        let folder = try TemporaryFolder()
        let result = try Attend.run(["devices", "--device", device], in: folder)
        #expect(result.status == 69, "\(result.output)")
        #expect(result.errorLines.count == 1)
    }

    @Test func theListingMarksAllOfAGroup() throws {
        let folder = try TemporaryFolder()
        let result = try Attend.run(["devices", "--device", "native+reference"], in: folder)
        #expect(result.output.split(separator: "\n").filter { $0.hasPrefix("*") }.count == 2)
    }
}
