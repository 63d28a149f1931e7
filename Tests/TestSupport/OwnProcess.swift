import Foundation

/// Test suites that run in a child process of the test program, one each.
public enum OwnProcess {
    private static let variable = "ATTEND_TESTS_OWN_PROCESS"

    /// Whether this is such a process.
    public static let isChild = ProcessInfo.processInfo.environment[variable] != nil

    /// A function of the C library that Swift hides or that not every one has.
    public static func symbol<Signature>(_ name: String, _ type: Signature.Type) -> Signature? {
        dlopen(nil, RTLD_NOW).flatMap { dlsym($0, name) }.map { unsafeBitCast($0, to: type) }
    }

    /// Programs that the suites build; they leave the user's caches alone.
    private static let scratch: String = {
        let path = FileManager.default.temporaryDirectory.path + "/own-process-" + UUID().uuidString
        atexit { try? FileManager.default.removeItem(atPath: OwnProcess.scratch) }
        return path
    }()

    /// Runs one suite of this test program, named with its target, and gives its status and what it printed.
    public static func run(_ suite: String) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        process.arguments = ["--testing-library", "swift-testing", "--filter", suite]
        var environment = ProcessInfo.processInfo.environment
        environment[variable] = suite
        for (name, folder) in [("ATTEND_CACHE_DIR", "programs"), ("POCL_CACHE_DIR", "pocl")] {
            environment[name] = "\(scratch)/\(folder)"
        }
        try FileManager.default.createDirectory(
            atPath: scratch + "/pocl", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        process.environment = environment
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let isSignal = process.terminationReason == .uncaughtSignal
        return (
            isSignal ? -process.terminationStatus : process.terminationStatus, String(decoding: output, as: UTF8.self)
        )
    }
}
