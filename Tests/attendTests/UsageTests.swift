import Testing

@Suite(.enabled(if: Attend.isBuilt, "attend is not built beside the tests"))
struct UsageTests {
    @Test func versionAndHelp() throws {
        let folder = try TemporaryFolder()
        let version = try Attend.run(["--version"], in: folder)
        #expect(version.status == 0)
        #expect(version.output == "0.1.0\n")
        let help = try Attend.run(["--help"], in: folder)
        #expect(help.status == 0)
        for command in ["devices", "run", "conform", "verify", "bench", "cache"] {
            #expect(help.output.contains(command))
            let own = try Attend.run([command, "--help"], in: folder)
            #expect(own.status == 0)
            #expect(own.output.contains("--json"))
        }
    }

    @Test(arguments: [
        ["frobnicate"], ["run"], ["conform"], ["run", "a", "b"], ["devices", "--frob"], ["run", "a", "--threads", "0"],
        ["run", "a", "--threads", "two"], ["run", "a", "--isa", "v5"], ["run", "a", "--fallback", "perhaps"],
        ["run", "a", "--fallback", "native,"], ["run", "a", "--fallback", "automatic,native"],
        ["run", "a", "--fallback", "native,refrence"], ["run", "a", "--fallback", ""],
        ["run", "a", "--time-limit", "0"], ["run", "a", "--time-limit", "-1"], ["run", "a", "--time-limit", "nan"],
        ["run", "a", "--time-limit", "1e300"], ["run", "a", "--time-limit", "soon"],
        ["run", "a", "--scale", "nan"], ["run", "a", "--scale", "x"], ["run", "a", "--softcap", "-1"],
        ["run", "a", "--window-left", "-2"], ["run", "a", "--window-right", "1.5"], ["run", "a", "--scores", "4"],
        ["run", "a", "--query-heads", "0"], ["run", "a", "--causal-alignment", "left"], ["run", "a", "-o"],
        ["run", "a", "--force-family", "square"], ["run", "a", "--device", ""],
        ["verify", "--cases", "some"], ["verify", "--seed", "-1"],
        ["bench", "--shape", "1,2,3"], ["bench", "--shape", "1,3,2,4,4,8"], ["bench", "--shape", "1,1,1,0,4,8"],
        ["bench", "--shape", "1,1,1,4,4,8", "--repeat", "0"], ["bench", "--causal"],
        ["cache"], ["cache", "burn"],
    ])
    func wrongUsage(arguments: [String]) throws {
        for json in [[], ["--json"]] {
            let result = try Attend.run(arguments + json, in: try TemporaryFolder())
            #expect(result.status == 64, "\(arguments): \(result.errors)")
            #expect(result.output.isEmpty)
            #expect(result.errorLines.count == 1 && result.errors.hasPrefix("error: "), "\(result.errors)")
        }
    }
}
