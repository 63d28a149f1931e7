import COpenCL
import Foundation
import Synchronization

/// The OpenCL loader of this machine, opened at run time: a program that links it could not start without one.
///
/// `@unchecked Sendable`: the handle and the table are set once and never change.
public final class OpenCLLibrary: @unchecked Sendable {
    /// Names another loader library to open.
    public static let pathVariable = "ATTEND_OPENCL_LIBRARY"

    /// Where the library was found.
    public let path: String
    let functions: FunctionTable

    /// Opens a loader by path, or by a name that the system's loader looks up.
    ///
    /// The library stays open until the process ends: drivers leave threads and exit handlers behind.
    /// - Throws: ``OpenCLError/noLoader(tried:reason:)`` or ``OpenCLError/missingFunction(_:)`` if it is no OpenCL loader.
    public init(path: String) throws(OpenCLError) {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "unknown reason"
            throw .noLoader(tried: [path], reason: reason)
        }
        functions = FunctionTable(handle)
        guard let known = dlsym(handle, "clGetPlatformIDs") else { throw .missingFunction("clGetPlatformIDs") }
        self.path = Self.file(around: UInt(bitPattern: known)) ?? path
    }

    /// The file that an address was loaded from, where the system lists what is mapped.
    private static func file(around address: UInt) -> String? {
        guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return nil }
        for line in maps.split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            let bounds = fields.first?.split(separator: "-").compactMap { UInt($0, radix: 16) } ?? []
            if fields.count == 6, bounds.count == 2, bounds[0] <= address, address < bounds[1] {
                // The path is padded to a column, and may hold spaces itself.
                return String(fields[5].drop { $0 == " " })
            }
        }
        return nil
    }

    private static let opened = Mutex<OpenCLLibrary?>(nil)

    /// The loader that the environment names, or the system's; opened at the first call.
    ///
    /// A failure is not remembered, so that a loader installed later is found.
    public static func shared() throws(OpenCLError) -> OpenCLLibrary {
        let result = opened.withLock { library -> Result<OpenCLLibrary, OpenCLError> in
            if let library { return .success(library) }
            do throws(OpenCLError) {
                let found = try open()
                library = found
                return .success(found)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func open() throws(OpenCLError) -> OpenCLLibrary {
        if let named = ProcessInfo.processInfo.environment[pathVariable], !named.isEmpty {
            return try OpenCLLibrary(path: named)
        }
        #if os(macOS)
            let candidates = ["/System/Library/Frameworks/OpenCL.framework/OpenCL"]
        #else
            let candidates = ["libOpenCL.so.1", "libOpenCL.so"]
        #endif
        var reasons: [String] = []
        for candidate in candidates {
            do throws(OpenCLError) { return try OpenCLLibrary(path: candidate) } catch {
                guard case .noLoader(_, let reason) = error else { throw error }
                reasons.append(reason)
            }
        }
        throw .noLoader(tried: candidates, reason: reasons.first ?? "none found")
    }

    /// The platforms, without looking at their devices. Calls `clGetPlatformIDs`.
    ///
    /// - Throws: ``OpenCLError/noPlatforms`` if no driver is installed.
    public func platforms() throws(OpenCLError) -> [Platform] {
        let get = try functions.require(functions.getPlatformIDs, "clGetPlatformIDs")
        var count: cl_uint = 0
        let status = Status(rawValue: get(0, nil, &count))
        if status == .platformNotFound || (status == .success && count == 0) { throw .noPlatforms }
        try status.check("clGetPlatformIDs")
        var ids = [cl_platform_id?](repeating: nil, count: Int(count))
        try Status(rawValue: get(count, &ids, nil)).check("clGetPlatformIDs")
        return ids.compactMap { $0.map { Platform(id: $0, library: self) } }
    }
}
