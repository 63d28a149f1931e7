import Foundation
import TensorFiles

/// The built program, run as a child process.
struct Attend {
    struct Result {
        let status: Int32
        let output: String
        let errors: String

        /// Standard output as one JSON object; `nil` if it is not one.
        var json: [String: Any]? {
            (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any]
        }

        var errorLines: [String] { errors.split(separator: "\n").map(String.init) }
    }

    /// The program beside the tests; `nil` if it was not built.
    static let path: String? = {
        let candidates = [
            URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath(),
            URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath(), Bundle.main.bundleURL,
        ]
        return candidates.lazy.map { $0.deletingLastPathComponent().appendingPathComponent("attend").path }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    static var isBuilt: Bool { path != nil }

    /// Runs the program with caches of the tests' own.
    ///
    /// - Parameter environment: further variables; they win.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], in folder: TemporaryFolder
    ) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path ?? "/nonexistent")
        process.arguments = arguments
        var variables = ProcessInfo.processInfo.environment
        variables["SWIFT_BACKTRACE"] = "enable=no"
        variables["ATTEND_CACHE_DIR"] = folder.path("cache")
        variables["POCL_CACHE_DIR"] = variables["POCL_CACHE_DIR"] ?? folder.path("pocl")
        variables.merge(environment) { $1 }
        process.environment = variables
        process.standardInput = FileHandle.nullDevice
        // Files rather than pipes: a full pipe would stop the child.
        let name = UUID().uuidString
        let (out, err) = (folder.path(name + ".out"), folder.path(name + ".err"))
        for file in [out, err] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: out)
        process.standardError = FileHandle(forWritingAtPath: err)
        try process.run()
        process.waitUntilExit()
        func text(_ path: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        }
        let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        return Result(status: status, output: try text(out), errors: try text(err))
    }
}

/// A folder that goes away with the value.
final class TemporaryFolder {
    let root: String

    init() throws {
        root = NSTemporaryDirectory() + "attend-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root + "/pocl", withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func path(_ name: String) -> String { root + "/" + name }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    /// Writes a file, in folders that are made as needed.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let target = path(name)
        try FileManager.default.createDirectory(
            atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: target))
        return target
    }

    @discardableResult
    func write(_ tensors: [TensorFileTensor], metadata: [String: String] = [:], to name: String) throws -> String {
        try write(try TensorFile.encoded(tensors, metadata: metadata), to: name)
    }
}
