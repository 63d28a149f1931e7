import COpenCL
import Locking

/// One OpenCL implementation on this machine (`cl_platform_id`).
///
/// Holding one costs nothing: its devices are asked for only by ``devices(_:)``, which can take
/// 400 ms on a slow platform. So look at platforms in order and stop at the first that will do.
///
/// Unchecked: a platform id is never freed and every query on it is thread-safe (OpenCL 1.2, A.2).
public struct Platform: @unchecked Sendable {
    public let library: OpenCLLibrary
    let id: OpaquePointer

    private var reader: InfoReader {
        InfoReader(library: library, function: library.table.getPlatformInfo, object: id)
    }

    /// `CL_PLATFORM_NAME`, empty where the platform does not tell.
    public var name: String { reader.optionalString(CL_PLATFORM_NAME) }
    /// `CL_PLATFORM_VENDOR`.
    public var vendor: String { reader.optionalString(CL_PLATFORM_VENDOR) }
    /// `CL_PLATFORM_VERSION`, such as "OpenCL 3.0 PoCL 3.1".
    public var version: String { reader.optionalString(CL_PLATFORM_VERSION) }

    /// The devices of the platform that are of one of `types`, in the platform's order (`clGetDeviceIDs`).
    ///
    /// A platform without such a device gives an empty list. A device that cannot be used is listed,
    /// with ``Device/unsuitability``.
    public func devices(_ types: DeviceType = .all) throws(OpenCLError) -> [Device] {
        let function = library.table.getDeviceIDs
        let call = try library(function)
        return try OpenCLLibrary.discovery.withLock { (_) throws(OpenCLError) in
            try devices(types, function, call)
        }
    }

    private func devices(
        _ types: DeviceType, _ function: Function<FunctionTable.GetDevices>, _ call: FunctionTable.GetDevices
    ) throws(OpenCLError) -> [Device] {
        var count: cl_uint = 0
        let status = call(id, types.rawValue, 0, nil, &count)
        if status == CL_DEVICE_NOT_FOUND || (status == CL_SUCCESS && count == 0) { return [] }
        try library.check(status, function, "counting the devices of \(name)")
        count = min(count, OpenCLLibrary.largestCount)
        var ids = [cl_device_id?](repeating: nil, count: Int(count))
        try library.check(call(id, types.rawValue, count, &ids, nil), function, "listing the devices of \(name)")
        return ids.compactMap { $0 }.map { Device(id: $0, platform: self) }
    }
}

extension Platform: Hashable {
    public static func == (left: Platform, right: Platform) -> Bool { left.id == right.id }
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension OpenCLLibrary {
    /// More platforms or devices than this are a driver's mistake, and no reason to ask for the memory to list them.
    static let largestCount: cl_uint = 1024

    /// Held while platforms and devices are listed: PoCL 3.1 makes its devices at the first call, and gives them unfinished to whoever
    /// calls meanwhile, who crashes. One lock for all loaders, as they share the drivers.
    static let discovery = Guarded<Void>(())

    /// The platforms the loader knows, in its order (`clGetPlatformIDs`); their devices are not looked at.
    ///
    /// - Throws: ``OpenCLError/noPlatforms(library:)`` where no driver is installed.
    public func platforms() throws(OpenCLError) -> [Platform] {
        let function = table.getPlatformIDs
        // The process is checked before the lock is taken, which a forked child could inherit held.
        let call = try self(function)
        return try Self.discovery.withLock { (_) throws(OpenCLError) in try platforms(function, call) }
    }

    private func platforms(
        _ function: Function<FunctionTable.GetPlatforms>, _ call: FunctionTable.GetPlatforms
    ) throws(OpenCLError) -> [Platform] {
        var count: cl_uint = 0
        let status = call(0, nil, &count)
        if status == Status.platformNotFound.rawValue || (status == CL_SUCCESS && count == 0) {
            throw .noPlatforms(library: path)
        }
        try check(status, function, "counting platforms")
        count = min(count, Self.largestCount)
        var ids = [cl_platform_id?](repeating: nil, count: Int(count))
        try check(call(count, &ids, nil), function, "listing \(count) platforms")
        return ids.compactMap { $0 }.map { Platform(library: self, id: $0) }
    }
}
