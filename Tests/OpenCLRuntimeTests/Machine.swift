import Foundation
import OpenCLRuntime
import Testing

/// The devices of the machine the tests run on, each with a context.
struct Subject: Sendable, CustomTestStringConvertible {
    let context: Context
    var device: Device { context.device }
    var testDescription: String { "\(device.platform.name) / \(device.name)" }

    func queue(profiling: Bool = false) throws -> Queue { try Queue(context: context, profiling: profiling) }

    func program(_ text: String, options: BuildOptions = .standard) throws -> Program {
        try Program.build(name: "test.cl", source: text, options: options, in: context)
    }
}

enum Machine {
    /// Empty where there is no loader, no driver or no device: the tests that need one are skipped then.
    static let subjects: [Subject] = {
        // Drivers with a cache of their own must not leave anything behind, or hide a build.
        setenv("POCL_CACHE_DIR", scratch.path, 0)
        guard let platforms = try? OpenCLLibrary.shared().platforms() else { return [] }
        return platforms.flatMap { (try? $0.devices()) ?? [] }
            .filter { $0.unsuitability == nil }
            .compactMap { device in (try? Context(device: device)).map { Subject(context: $0) } }
    }()

    static let scratch = TemporaryFolder(removedAtExit: true)
}

extension Trait where Self == ConditionTrait {
    static var needsDevice: Self { .enabled(if: !Machine.subjects.isEmpty, "no OpenCL device on this machine") }
    static var needsCompiler: Self { .enabled(if: StandIn.compiler != nil, "no C compiler on this machine") }
}

/// A new folder, removed with this object.
final class TemporaryFolder: Sendable {
    let path: String

    init(removedAtExit: Bool = false) {
        path = FileManager.default.temporaryDirectory.path + "/opencl-runtime-" + UUID().uuidString
        try? FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if removedAtExit { atexit { try? FileManager.default.removeItem(atPath: Machine.scratch.path) } }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
}

/// Runs `body` on `count` threads at once and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread {
            body(index)
            group.leave()
        }.start()
    }
    group.wait()
}

/// What an error of the expected kind says of itself; fails for any other error or none.
@discardableResult
func refusal(
    _ part: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> String {
    do {
        try body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
    } catch OpenCLError.invalidArgument(let operation, let reason) {
        let text = "\(operation): \(reason)"
        #expect(text.contains(part), sourceLocation: sourceLocation)
        return text
    } catch {
        Issue.record("not a refusal: \(error)", sourceLocation: sourceLocation)
    }
    return ""
}
