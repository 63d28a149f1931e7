import COpenCL

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// An opened OpenCL loader: the way to platforms, and the owner of the functions every other type calls.
///
/// A loader is opened with `dlopen` at run time and never closed, because drivers keep threads that outlive
/// their last object.
public final class OpenCLLibrary: Sendable {
    /// Names another loader library (a path or a name for `dlopen`) for ``shared()``.
    public static let environmentVariable = "ATTEND_OPENCL_LIBRARY"

    #if canImport(Darwin)
        static let defaultCandidates = ["/System/Library/Frameworks/OpenCL.framework/OpenCL"]
    #else
        static let defaultCandidates = ["libOpenCL.so.1", "libOpenCL.so"]
    #endif

    /// The file the loader came from, as the dynamic linker reports it.
    public let path: String
    let table: FunctionTable
    /// The process that opened the loader: drivers hang in a forked child, so every call compares.
    let processID: pid_t

    private init(handle: UnsafeMutableRawPointer, requested: String) {
        table = FunctionTable(library: handle)
        processID = getpid()
        path = dlsym(handle, "clGetPlatformIDs").flatMap { Self.file(of: $0) } ?? requested
    }

    /// The file an address was loaded from (`dladdr`).
    private static func file(of address: UnsafeMutableRawPointer) -> String? {
        // Looked up by name, because the C library's module hides it on Linux; the result is four pointers everywhere.
        typealias Find = @convention(c) (UnsafeRawPointer, UnsafeMutableRawPointer) -> Int32
        guard let symbol = dlopen(nil, RTLD_NOW).flatMap({ dlsym($0, "dladdr") }) else { return nil }
        var info: (file: UnsafePointer<CChar>?, base: Int, name: Int, address: Int) = (nil, 0, 0, 0)
        guard unsafeBitCast(symbol, to: Find.self)(address, &info) != 0 else { return nil }
        return info.file.map { String(cString: $0) }
    }

    /// The loader of this process, opened on first use: the one that `ATTEND_OPENCL_LIBRARY` names, else the system's.
    ///
    /// - Throws: ``OpenCLError/noLoader(tried:)``; the answer is kept, so a loader installed later needs a new process.
    public static func shared() throws(OpenCLError) -> OpenCLLibrary {
        try sharedResult.get()
    }

    private static let sharedResult: Result<OpenCLLibrary, OpenCLError> = {
        let named = getenv(environmentVariable).map { String(cString: $0) } ?? ""
        return Result { () throws(OpenCLError) in try open(candidates: named.isEmpty ? defaultCandidates : [named]) }
    }()

    /// Opens the loader at `path`, apart from the shared one.
    ///
    /// - Parameter path: A path, or a bare name that `dlopen` searches for.
    /// - Throws: ``OpenCLError/noLoader(tried:)`` with the dynamic linker's reason.
    public static func open(path: String) throws(OpenCLError) -> OpenCLLibrary {
        try open(candidates: [path])
    }

    private static func open(candidates: [String]) throws(OpenCLError) -> OpenCLLibrary {
        var tried: [String] = []
        for candidate in candidates {
            if let handle = dlopen(candidate, RTLD_NOW | RTLD_LOCAL) {
                return OpenCLLibrary(handle: handle, requested: candidate)
            }
            let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
            tried.append(reason.contains(candidate) ? reason : "\(candidate): \(reason)")
        }
        throw .noLoader(tried: tried)
    }
}

extension OpenCLLibrary {
    /// The function's address, once it is sure that it exists and that this is still the process that opened it.
    @inline(__always)
    func callAsFunction<Signature>(_ function: Function<Signature>) throws(OpenCLError) -> Signature {
        try checkProcess()
        guard let pointer = function.pointer else { throw .missingFunction(name: function.name, library: path) }
        return pointer
    }

    /// Throws ``OpenCLError/usedAfterFork(openedBy:calledBy:)`` in a forked child. What takes a lock that others hold for long asks
    /// first: in the child nobody would ever give it back.
    @inline(__always)
    package func checkProcess() throws(OpenCLError) {
        let current = getpid()
        guard current == processID else { throw .usedAfterFork(openedBy: processID, calledBy: current) }
    }

    /// Turns a status other than `CL_SUCCESS` into an error that says which call it was and what it was about.
    @inline(__always)
    func check<Signature>(
        _ status: cl_int, _ function: Function<Signature>, _ context: @autoclosure () -> String
    ) throws(OpenCLError) {
        guard status == CL_SUCCESS else {
            throw .callFailed(function: function.name, status: Status(rawValue: status), context: context())
        }
    }

    /// For `deinit`: gives a handle back. A forked child lets it go instead, since drivers hang there, and
    /// a status is dropped, since nobody is left to hear it.
    func release(_ handle: OpaquePointer, with function: Function<FunctionTable.Single>) {
        guard getpid() == processID, let pointer = function.pointer else { return }
        _ = pointer(handle)
    }
}
