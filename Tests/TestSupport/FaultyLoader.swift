import Foundation

/// The stand-in loader of `Tests/FaultyLoader`: it hands every call on to the real loader, and makes one chosen call fail.
///
/// Each instance is a library of its own, with its own counts and its own fault: whoever opens ``path`` calls through it, and
/// everybody else in the process goes on with the real loader.
///
/// Unchecked: the functions behind it count atomically, and arming is for one thread while no other calls.
public final class FaultyLoader: @unchecked Sendable {
    /// How the chosen call fails.
    public enum Timing: String, Hashable, Sendable, CaseIterable {
        /// The real call is not made.
        case instead
        /// The real call is made, and its success is kept from the caller.
        case late
    }

    /// Objects of OpenCL that are counted, in the order of the C file.
    public enum Kind: Int32, CaseIterable, Sendable {
        case contexts, queues, buffers, programs, kernels, events, devices
    }

    /// The pseudo-function whose calls are the events that are handed out: the chosen one ends in the status.
    public static let event = "event"

    /// Why it cannot be built here; nil if it can.
    public static let absence: String? = compiler == nil ? "no C compiler on this machine" : nil

    /// What to give to `OpenCLLibrary.open(path:)`, or in `ATTEND_OPENCL_LIBRARY`.
    public let path: String
    /// The functions it knows.
    public let functions: [String]

    private let folder: String
    private let arm: @convention(c) (UnsafePointer<CChar>?, Int, Int32, Int32) -> Int32
    private let callsOf: @convention(c) (Int32) -> Int
    private let liveOf: @convention(c) (Int32) -> Int
    private let hitCount: @convention(c) () -> Int

    /// Compiles and opens a new one.
    public init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/faulty-loader-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        path = folder + "/libFaultyLoader.so"
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("FaultyLoader/faulty_loader.c").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.compiler ?? "cc")
        process.arguments = ["-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0, let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw Failure(text: "\(source) cannot be compiled or opened")
        }
        func function<Signature>(_ name: String, _ type: Signature.Type) throws -> Signature {
            guard let address = dlsym(handle, name) else { throw Failure(text: "\(name) is missing") }
            return unsafeBitCast(address, to: type)
        }
        arm = try function(
            "fault_arm", (@convention(c) (UnsafePointer<CChar>?, Int, Int32, Int32) -> Int32).self)
        callsOf = try function("fault_calls", (@convention(c) (Int32) -> Int).self)
        liveOf = try function("fault_live", (@convention(c) (Int32) -> Int).self)
        hitCount = try function("fault_hits", (@convention(c) () -> Int).self)
        let count = try function("fault_function_count", (@convention(c) () -> Int32).self)()
        let name = try function("fault_function_name", (@convention(c) (Int32) -> UnsafePointer<CChar>).self)
        functions = (0..<count).map { String(cString: name($0)) }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Makes a call of `function` fail with `status`: the given one from now on, counted from 1, or every one for 0.
    public func arm(_ function: String, call: Int, status: Int32, _ timing: Timing = .instead) {
        precondition(arm(function, call, status, timing == .late ? 1 : 0) == 0, "no function \(function)")
    }

    /// Ends the fault.
    ///
    /// - Returns: How many calls it made fail.
    @discardableResult public func disarm() -> Int {
        defer { _ = arm(nil, 0, 0, 0) }
        return hitCount()
    }

    /// Calls so far, by function; those never called are absent.
    public var calls: [String: Int] {
        var result: [String: Int] = [:]
        for (index, name) in functions.enumerated() {
            let count = callsOf(Int32(index))
            if count > 0 { result[name] = count }
        }
        return result
    }

    /// The calls that `body` makes, by function.
    public func calls(of body: () throws -> Void) rethrows -> [String: Int] {
        let before = calls
        try body()
        return calls.compactMapValues { $0 }.reduce(into: [:]) { result, entry in
            let count = entry.value - (before[entry.key] ?? 0)
            if count > 0 { result[entry.key] = count }
        }
    }

    /// Objects made and retained but not released yet.
    public var live: [Kind: Int] {
        Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0, liveOf($0.rawValue)) })
    }

    private static let compiler: String? = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private struct Failure: Error, CustomStringConvertible {
        let text: String
        var description: String { text }
    }
}

/// One way to fail, among those of a sweep.
public struct DriverFault: Hashable, Sendable, CustomStringConvertible {
    /// No memory on the device, no resources, no memory on the host, a status no compute call has, a failed event, a dead
    /// queue, and one that no header knows.
    public static let statuses: [Int32] = [-4, -5, -6, -9, -14, -36, -9999]

    public let function: String
    /// Which call of it, counted from 1.
    public let call: Int
    public let status: Int32
    public let timing: FaultyLoader.Timing

    public init(_ function: String, call: Int, status: Int32, _ timing: FaultyLoader.Timing = .instead) {
        self.function = function
        self.call = call
        self.status = status
        self.timing = timing
    }

    public var description: String { "\(function) call \(call) → \(status) \(timing.rawValue)" }

    /// Every status at the first, the second and the last of the calls that were counted.
    public static func all(
        _ calls: [String: Int], _ timing: FaultyLoader.Timing = .instead, statuses: [Int32] = statuses
    ) -> [DriverFault] {
        calls.sorted { $0.key < $1.key }.flatMap { function, count in
            Set([1, min(2, count), count]).sorted().flatMap { call in
                statuses.map { DriverFault(function, call: call, status: $0, timing) }
            }
        }
    }
}
