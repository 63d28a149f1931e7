import COpenCL

extension Device {
    /// Divides this device into `count` parts with equally many compute units each (`clCreateSubDevices`); units that are left over
    /// stay idle.
    ///
    /// Parts are devices of their own, for contexts, programs and queues. Their memory is that of the whole.
    ///
    /// - Throws: ``OpenCLError/invalidArgument(operation:reason:)`` for fewer units than parts,
    ///   ``OpenCLError/missingFunction(name:library:)`` with a loader of OpenCL 1.1, or the driver's status, as GPUs mostly do not
    ///   divide.
    public func split(_ count: Int) throws(OpenCLError) -> [Device] {
        guard count > 0, count <= info.computeUnits else {
            throw .invalidArgument(
                operation: "dividing \(name)", reason: "\(count) parts of \(info.computeUnits) compute units")
        }
        // Asked first: rusticl 22.3 crashes in the call, and says before that it divides in no way.
        let reader = InfoReader(library: library, function: library.table.getDeviceInfo, object: id)
        let ways = try reader.array(CL_DEVICE_PARTITION_PROPERTIES, of: 0 as Int)
        guard ways.contains(Int(CL_DEVICE_PARTITION_EQUALLY)) else {
            throw .invalidArgument(operation: "dividing \(name)", reason: "the device does not divide equally")
        }
        let function = library.table.createSubDevices
        let call = try library(function)
        let units = info.computeUnits / count
        let properties = [Int(CL_DEVICE_PARTITION_EQUALLY), units, 0]
        let context = "dividing \(name) into parts of \(units) compute units"
        var made: cl_uint = 0
        try library.check(call(id, properties, 0, nil, &made), function, context)
        // A driver that says less than it makes would write past the end.
        made = min(made, OpenCLLibrary.largestCount)
        var ids = [cl_device_id?](repeating: nil, count: Int(made))
        try library.check(call(id, properties, made, &ids, nil), function, context)
        // All are taken, so that those that are not wanted are released.
        let parts = ids.compactMap { $0 }.map { Device(id: $0, platform: platform, isPart: true) }
        guard parts.count >= count else {
            throw .invalidArgument(operation: context, reason: "the driver made \(parts.count)")
        }
        return Array(parts.prefix(count))
    }
}
