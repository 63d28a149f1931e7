/// Everything that can go wrong between this package and an OpenCL driver.
public enum OpenCLError: Error, Hashable, Sendable {
    /// No OpenCL loader could be opened; each entry is a candidate with the dynamic linker's reason.
    case noLoader(tried: [String])
    /// The loader at `library` does not have the C function `name`.
    case missingFunction(name: String, library: String)
    /// The loader works but knows no platform: no driver is installed.
    case noPlatforms(library: String)
    /// The C function `function` returned `status`; `context` says what it was asked to do.
    case callFailed(function: String, status: Status, context: String)
    /// Kernels did not compile: the driver's log, and the flags it was given.
    case buildFailed(status: Status, program: String, device: String, flags: String, log: String)
    /// `#include "name"` of a header that was not handed over.
    case missingHeader(name: String, includedBy: String)
    /// Refused on the host, before any driver saw it: which operation, and what was expected and what came.
    case invalidArgument(operation: String, reason: String)
    /// More bytes than the device allocates at once. Drivers accept such sizes and fail when the memory is touched.
    case allocationTooLarge(bytes: Int, limit: Int, device: String)
    /// Objects made by one process were used in a child forked from it, where drivers hang.
    case usedAfterFork(openedBy: Int32, calledBy: Int32)
}

extension OpenCLError {
    /// The status the driver returned, where a driver was asked.
    public var status: Status? {
        switch self {
        case .callFailed(_, let status, _), .buildFailed(let status, _, _, _, _): status
        default: nil
        }
    }
}

extension OpenCLError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noLoader(let tried):
            "no OpenCL loader could be opened: \(tried.joined(separator: "; "))"
        case .missingFunction(let name, let library):
            "\(library) has no function \(name)"
        case .noPlatforms(let library):
            "\(library) knows no OpenCL platform: no driver is installed"
        case .callFailed(let function, let status, let context):
            "\(function) returned \(status): \(context)"
        case .buildFailed(let status, let program, let device, let flags, let log):
            "\(program) does not build for \(device): \(status), flags \(flags)\n\(log)"
        case .missingHeader(let name, let includer):
            "\(includer) includes \"\(name)\", which is not among its headers"
        case .invalidArgument(let operation, let reason):
            "\(operation): \(reason)"
        case .allocationTooLarge(let bytes, let limit, let device):
            "\(bytes) bytes are more than the \(limit) that \(device) allocates at once"
        case .usedAfterFork(let opener, let caller):
            "the process was forked after this device was opened: process \(caller) cannot use what process \(opener) opened"
        }
    }
}
