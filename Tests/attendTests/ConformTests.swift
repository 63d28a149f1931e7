import Foundation
import Testing

@Suite(.enabled(if: Attend.isBuilt, "attend is not built beside the tests"))
struct ConformTests {
    @Test func passesFailsAndSkips() throws {
        let folder = try TemporaryFolder()
        try folder.write(SmallCase.operands + [SmallCase.expected()], to: "cases/a/good.safetensors")
        try folder.write(SmallCase.operands, to: "cases/nothing.safetensors")
        try folder.write(Array("not a case".utf8), to: "cases/other.txt")
        let cases = folder.path("cases")
        var result = try Attend.run(["conform", cases, "--device", "reference", "--json"], in: folder)
        #expect(result.status == 0, "\(result.errors)")
        var json = try #require(result.json)
        #expect(json["cases"] as? Int == 2)
        #expect(json["failed"] as? Int == 0)
        #expect(json["skipped"] as? Int == 1)
        #expect((json["failures"] as? [Any])?.isEmpty == true)

        try folder.write(SmallCase.operands + [SmallCase.expected([2, 3, 2, 3.001])], to: "cases/b/wrong.safetensors")
        result = try Attend.run(["conform", cases, "--device", "reference", "--json"], in: folder)
        #expect(result.status == 1)
        json = try #require(result.json)
        #expect(json["failed"] as? Int == 1)
        let failure = try #require((json["failures"] as? [[String: Any]])?.first)
        #expect((failure["case"] as? String)?.hasSuffix("wrong.safetensors") == true)
        #expect(failure["tensor"] as? String == "Y")
        #expect(failure["gate"] as? String == "stored")
        #expect((failure["ratio"] as? Double ?? 0) > 1)
        #expect(failure["device"] as? String != nil)

        result = try Attend.run(["conform", cases, "--device", "reference"], in: folder)
        #expect(result.status == 1)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 4, "a line a case and one that counts")
        #expect(lines.filter { $0.hasPrefix("FAILED") }.count == 1)
        #expect(lines.last == "3 cases, 1 failed, 1 skipped")
    }

    /// Stored values are held to the file's tolerance, never to less than their type can hold.
    @Test func tolerances() throws {
        let folder = try TemporaryFolder()
        func status(_ y: [Float], _ metadata: [String: String]) throws -> Int32 {
            let path = try folder.write(SmallCase.operands + [SmallCase.expected(y)], metadata: metadata, to: "case")
            return try Attend.run(["conform", path, "--device", "reference"], in: folder).status
        }
        #expect(try status([2, 3, 2, 3.00002], [:]) == 0)
        #expect(try status([2, 3, 2, 3.00004], [:]) == 1)
        #expect(try status([2, 3, 2, 3.00004], ["rtol": "0.001"]) == 0)
        #expect(try status([2, 3, 2, 3.01], ["rtol": "0.001"]) == 1)
        #expect(try status([2, 3, 2, 3.01], ["atol": "0.02"]) == 0)
        #expect(try status([2, 3, 2, .nan], ["atol": "0.02"]) == 1)
    }

    @Test func presentTensorsAreComparedBitByBit() throws {
        let folder = try TemporaryFolder()
        let past = [
            SmallCase.floats("past_key", [9, 9], [1, 1, 1, 2]), SmallCase.floats("past_value", [5, 6], [1, 1, 1, 2]),
        ]
        func result(_ key: [Float]) throws -> Attend.Result {
            let present = SmallCase.floats("present_key", key, [1, 1, 3, 2])
            let path = try folder.write(SmallCase.operands + past + [present], to: "case")
            return try Attend.run(["conform", path, "--device", "reference", "--json"], in: folder)
        }
        #expect(try result([9, 9, 1, 2, 3, 4]).status == 0)
        let wrong = try result([9, 9, 1, 2, 3, Float(4).nextUp])
        #expect(wrong.status == 1)
        let failure = try #require((wrong.json?["failures"] as? [[String: Any]])?.first)
        #expect(failure["tensor"] as? String == "present_key")
        #expect(failure["gate"] as? String == "bits")
    }

    @Test func aMalformedFileAmongOthers() throws {
        let folder = try TemporaryFolder()
        try folder.write(SmallCase.operands + [SmallCase.expected()], to: "cases/a.safetensors")
        try folder.write([1, 2, 3], to: "cases/b.safetensors")
        let result = try Attend.run(["conform", folder.path("cases"), "--device", "reference", "--json"], in: folder)
        #expect(result.status == 65)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains("b.safetensors"))
    }
}
