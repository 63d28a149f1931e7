import Foundation
import Testing

/// `attend tune` as scripts and people meet it.
@Suite(.serialized, .enabled(if: Attend.isBuilt, "attend is not built beside the tests"))
struct TuneTests {
    private func device(_ folder: TemporaryFolder) throws -> String? {
        let devices = try Attend.run(["devices", "--json"], in: folder).json?["devices"] as? [[String: Any]]
        return devices?.compactMap { $0["selector"] as? String }.first { $0.hasPrefix("opencl") }
    }

    @Test func itSearchesAndKeeps() throws {
        let folder = try TemporaryFolder()
        guard let device = try device(folder) else { return }
        let result = try Attend.run(
            ["tune", "--shape", "1,2,2,40,50,16", "--causal", "--seconds", "5", "--device", device, "--json"],
            in: folder)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let row = try #require((result.json?["results"] as? [[String: Any]])?.first)
        let before = try #require(row["before_ms"] as? Double), after = try #require(row["after_ms"] as? Double)
        #expect(before > 0 && after > 0 && after <= before)
        #expect(row["kernel"] is String && row["parameters"] is [String: Any] && row["shape"] is [String: Any])
        let kept = try #require(row["kept"] as? Bool)
        let entries = try #require(
            try Attend.run(["cache", "show", "--json"], in: folder).json?["entries"] as? [[String: Any]])
        let tunings = entries.filter { $0["kind"] as? String == "tuning" }
        #expect(tunings.count == (kept ? 1 : 0))
        #expect(tunings.allSatisfy { ($0["tuning"] as? [String: Any])?["kernel"] is String })
        let cleared = try Attend.run(["cache", "clear", "--tunings", "--json"], in: folder)
        #expect(cleared.json?["removed"] as? Int == tunings.count)
    }

    @Test func anInterruptionEndsItWell() throws {
        let folder = try TemporaryFolder()
        guard let device = try device(folder), let path = Attend.path else { return }
        let script = """
            "$0" tune --shape 1,8,8,512,512,64 --shape 1,8,8,1024,1024,64 --device \(device) --json > "$1" 2> "$2" &
            sleep 2; kill -INT $!; wait $!
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script, path, folder.path("out"), folder.path("err")]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["ATTEND_CACHE_DIR": folder.path("cache"), "SWIFT_BACKTRACE": "enable=no"]) { $1 }
        try process.run()
        process.waitUntilExit()
        let errors = try String(contentsOfFile: folder.path("err"), encoding: .utf8)
        #expect(process.terminationStatus == 0, "\(errors)")
        #expect(errors.contains("tune: stopped by Ctrl-C, with the best so far"))
        let data = try Data(contentsOf: URL(fileURLWithPath: folder.path("out")))
        let results = try #require(
            (try JSONSerialization.jsonObject(with: data) as? [String: Any])?["results"] as? [[String: Any]])
        #expect(results.count <= 1)
    }

    @Test func wrongUsageIsNamed() throws {
        let folder = try TemporaryFolder()
        for (arguments, word) in [
            (["--shape", "1,2,3"], "--shape"), (["--seconds", "0"], "--seconds"),
            (["--kernel", "flash_wide", "--tiles", "TILE_K=4"], "--tiles"),
        ] {
            let result = try Attend.run(["tune"] + arguments, in: folder)
            #expect(result.status == 64 && result.errorLines.count == 1 && result.errors.contains(word))
        }
        let native = try Attend.run(["tune", "--device", "native", "--shape", "1,1,1,4,4,4"], in: folder)
        #expect(native.status == 69 && native.errorLines.count == 1, "\(native.errors)")
    }
}
