/// What can go wrong between this program and an OpenCL driver.
public enum OpenCLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No loader library could be opened.
    case noLoader(tried: [String], reason: String)
    /// The loader lacks a function: it is older than the function, or no OpenCL loader at all.
    case missingFunction(String)
    /// There is a loader but no driver.
    case noPlatforms
    /// A function returned a status other than success. `context` says what it was about.
    case failed(function: String, status: Status, context: String)
    /// The driver's compiler refused the text.
    case buildFailed(log: String, options: String, status: Status)
    /// A header that a text includes is not among those given.
    case missingHeader(String)
    /// Refused before any driver saw it, since drivers crash on such calls, or run them and give wrong results.
    case invalidArgument(String)
    /// The process was forked after OpenCL was used; drivers hang in the child.
    case usedAfterFork

    public var description: String {
        switch self {
        case .noLoader(let tried, let reason): "no OpenCL loader (tried \(tried.joined(separator: ", "))): \(reason)"
        case .missingFunction(let name): "the OpenCL loader has no function \(name)"
        case .noPlatforms: "no OpenCL platform: the loader is there, but no driver"
        case .failed(let function, let status, let context):
            context.isEmpty ? "\(function): \(status)" : "\(function): \(status), \(context)"
        case .buildFailed(let log, let options, let status):
            "clBuildProgram: \(status) with options '\(options)': \(Self.firstError(log))"
        case .missingHeader(let name): "there is no header \(name)"
        case .invalidArgument(let text): text
        case .usedAfterFork: "OpenCL was used before this process was forked, and cannot be used in the child"
        }
    }

    /// The first line of a compiler's log that tells of an error; the case holds the whole log.
    private static func firstError(_ log: String) -> String {
        let lines = log.split(separator: "\n")
        return String(lines.first { $0.contains("error:") } ?? lines.first ?? "no log")
    }
}
