import COpenCL

/// One installed driver. Devices are looked up only when asked for, which some platforms take a third of a second to do.
///
/// `@unchecked Sendable`: the id is a constant of the driver's.
public struct Platform: @unchecked Sendable {
    let id: cl_platform_id
    let library: OpenCLLibrary

    /// Calls `clGetPlatformInfo`.
    public var name: String { get throws(OpenCLError) { try info().text(CL_PLATFORM_NAME) } }
    public var version: String { get throws(OpenCLError) { try info().text(CL_PLATFORM_VERSION) } }

    /// The devices, in the driver's order; none is no error. Calls `clGetDeviceIDs`.
    public func devices() throws(OpenCLError) -> [Device] {
        let get = try library.functions.require(library.functions.getDeviceIDs, "clGetDeviceIDs")
        let all = cl_device_type(0xFFFF_FFFF)
        var count: cl_uint = 0
        let status = Status(rawValue: get(id, all, 0, nil, &count))
        if status == .deviceNotFound || (status == .success && count == 0) { return [] }
        let platformName = (try? name) ?? "unnamed platform"
        try status.check("clGetDeviceIDs", platformName)
        var ids = [cl_device_id?](repeating: nil, count: Int(count))
        try Status(rawValue: get(id, all, count, &ids, nil)).check("clGetDeviceIDs", platformName)
        let platformVersion = (try? version) ?? ""
        var devices: [Device] = []
        for case let id? in ids {
            devices.append(
                try Device(id: id, library: library, platformName: platformName, platformVersion: platformVersion))
        }
        return devices
    }

    private func info() throws(OpenCLError) -> InfoQuery {
        let get = try library.functions.require(library.functions.getPlatformInfo, "clGetPlatformInfo")
        return InfoQuery(function: "clGetPlatformInfo") { get(id, $0, $1, $2, $3) }
    }
}
