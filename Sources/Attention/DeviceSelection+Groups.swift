import Logging

// Devices that are parts of others, and several as one.

extension DeviceSelection {
    /// One of the equal parts of a device.
    mutating func divided(
        _ whole: DevicePreference, _ platform: Int, part: Int, of count: Int, _ preference: DevicePreference
    ) throws(AttentionError) -> Choice {
        let candidate = try candidate(platform, whole)
        guard isUsable(candidate), let open = candidate.openPart else {
            throw .noDevice(requested: preference.description, reason: whyNone("it cannot be used"))
        }
        do throws(AttentionError) {
            return (try open(part, count, preference.description), "a part, asked for by its place")
        } catch {
            throw .noDevice(requested: preference.description, reason: error.reason)
        }
    }

    /// All of `members`, or nobody.
    mutating func group(
        _ members: [DevicePreference], _ preference: DevicePreference
    ) throws(AttentionError) -> Choice {
        var devices: [Device] = []
        for member in members {
            let backend = try open(member).backend
            guard !devices.contains(where: { $0.description.selector == backend.device.selector }) else {
                throw .noDevice(
                    requested: preference.description, reason: "'\(backend.device.selector)' is in it twice")
            }
            var device = Device(backend: backend, skipped: [], logger: Logger(label: "swift-attention"))
            // What it would say, the group says.
            device.logger.logLevel = .critical
            devices.append(device)
        }
        skipped.removeAll { skip in devices.contains { $0.description.selector == skip.selector } }
        return (try Device.group(devices).backend, "a group that was asked for")
    }
}
