import Foundation
import Testing

@Suite(.enabled(if: Attend.isBuilt, "attend is not built beside the tests"))
struct OtherCommandTests {
    @Test func limitsThatCannotBeReadAreNamed() throws {
        let folder = try TemporaryFolder()
        let listed = try Attend.run(["devices", "--json"], environment: ["ATTEND_LIMITS": "local=lots"], in: folder)
        let devices = try #require(listed.json?["devices"] as? [[String: Any]])
        for device in devices where (device["selector"] as? String)?.hasPrefix("opencl") == true {
            #expect((device["reason"] as? String)?.contains("ATTEND_LIMITS: expected allocation=N,local=N") == true)
        }
        let asked = try Attend.run(
            ["verify", "--device", "opencl:0.0", "--filter", "edge:one"], environment: ["ATTEND_LIMITS": "local=lots"],
            in: folder)
        #expect(asked.status == 69 && asked.errorLines.count == 1, "\(asked.errors)")
    }

    @Test func devices() throws {
        let result = try Attend.run(["devices", "--json"], in: try TemporaryFolder())
        #expect(result.status == 0, "\(result.errors)")
        let json = try #require(result.json)
        #expect(json.keys.contains("library"))
        let devices = try #require(json["devices"] as? [[String: Any]])
        let keys: Set = ["selector", "name", "platform", "kind", "family", "chosen", "reason", "limits", "verdicts"]
        #expect(devices.allSatisfy { Set($0.keys).isSuperset(of: keys) })
        #expect(devices.contains { $0["selector"] as? String == "reference" })
        #expect(devices.contains { $0["selector"] as? String == "native" })
        #expect(devices.filter { $0["chosen"] as? Bool == true }.count == 1)
        let table = try Attend.run(["devices"], in: try TemporaryFolder())
        #expect(table.status == 0)
        #expect(table.output.contains("reference"))
    }

    @Test func devicesWithoutAnyPlatform() throws {
        let folder = try TemporaryFolder()
        let nowhere = ["OCL_ICD_VENDORS": folder.path("pocl")]
        let result = try Attend.run(["devices", "--json"], environment: nowhere, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let devices = try #require(result.json?["devices"] as? [[String: Any]])
        #expect(!devices.contains { ($0["selector"] as? String)?.hasPrefix("opencl") == true })
    }

    @Test func verify() throws {
        let folder = try TemporaryFolder()
        let result = try Attend.run(
            ["verify", "--device", "reference", "--seed", "18446744073709551615", "--json"], in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let json = try #require(result.json)
        #expect(Set(json.keys).isSuperset(of: ["cases", "failed", "skipped", "seed", "coverage", "failures"]))
        #expect((json["cases"] as? Int ?? 0) > 0)
        #expect(result.output.contains("\"seed\": 18446744073709551615"))
        let none = try Attend.run(["verify", "--device", "reference", "--filter", "no such case"], in: folder)
        #expect(none.status == 1, "a verification that ran nothing has not passed")
    }

    @Test func bench() throws {
        let folder = try TemporaryFolder()
        let result = try Attend.run(
            ["bench", "--shape", "1,2,1,8,9,4,5", "--causal", "--repeat", "2", "--device", "reference", "--json"],
            in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let row = try #require((result.json?["results"] as? [[String: Any]])?.first)
        let keys: Set = [
            "device", "kernel", "shape", "dtype", "verified", "median_ms", "min_ms", "gflops", "peak_gflops",
            "share_of_peak", "gbps", "stream_gbps", "share_of_stream",
        ]
        #expect(Set(row.keys).isSuperset(of: keys))
        #expect(row["verified"] as? Bool == true)
        let share = try #require(row["share_of_peak"] as? Double)
        #expect(share > 0 && share <= 1)
        // 8 queries of a causal mask see 1 + 2 + … + 8 keys each; 2·(4 + 5) operations a pair and head.
        let milliseconds = try #require(row["median_ms"] as? Double)
        let gflops = try #require(row["gflops"] as? Double)
        #expect(abs(gflops * milliseconds * 1e6 - Double(36 * 2 * 2 * 9)) < 1)
    }

    @Test func cache() throws {
        let folder = try TemporaryFolder()
        let cache = ["ATTEND_CACHE_DIR": folder.path("my cache")]
        for arguments in [["cache", "show"], ["cache", "clear"]] {
            let result = try Attend.run(arguments + ["--json"], environment: cache, in: folder)
            #expect(result.status == 0, "\(result.errors)")
            let json = try #require(result.json)
            #expect(Set(json.keys).isSuperset(of: ["folder", "bytes", "entries"]))
            #expect((json["folder"] as? String)?.contains("my cache") == true)
            #expect(json["bytes"] as? Int == 0)
        }
    }
}
