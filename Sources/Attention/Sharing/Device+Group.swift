extension Device {
    /// One device out of several: each call is cut into shares, which they compute at once.
    ///
    /// ```swift
    /// let both = try Device.group([Device.select(.openCL(platform: 0, device: 0)), Device.select(.openCL(platform: 1, device: 0))])
    /// let output = try attention(query: q, key: k, value: v, device: both)
    /// ```
    /// Calls are cut between key heads, batch entries, or blocks of queries, which changes no number: a row's result is what the
    /// device that computes it gives alone. Where there are too few of these, each device takes a range of the keys, and the parts
    /// are joined by their `logSumExp`; a 16-bit query and key are read as `float32` then, so that parts are not rounded. Calls that
    /// are too small to gain are left to the fastest. `AttentionPlan.explain()` tells the shares and why.
    ///
    /// Shares follow measured speeds: the first plan of a kind runs a small call on each device, some milliseconds, and each call
    /// after that is a measurement too. A plan's shares are fixed when it is made, so that its results have the same bits each time;
    /// ``Device/releaseMemory()`` drops plans, and the next ones know what was measured since.
    ///
    /// A device that fails hands its share to the fastest of the others and rests for its ``restTime``: meanwhile, the others have
    /// shares of their own. ``AttentionResult/fallbacks`` names it. Only if all fail does the call, and goes on as its
    /// ``FallbackPolicy`` says. A device's ``timeLimit`` holds for its share.
    ///
    /// Results are in host memory, and so is ``Device/tensor(_:)`` of a group. Operands in the memory of one device are downloaded by the
    /// others in each call.
    ///
    /// - Parameter devices: One or more; of a group among them, its devices. A device keeps its own rest and time limit.
    /// - Throws: `AttentionError.invalid` for an empty list.
    public static func group(_ devices: [Device]) throws(AttentionError) -> Device {
        try group(devices) { SharingBackend($0) }
    }

    static func group(_ devices: [Device], _ make: ([Device]) -> SharingBackend) throws(AttentionError) -> Device {
        let members = devices.flatMap { device in
            (device.backend as? SharingBackend)?.members.map(\.device) ?? [device]
        }
        guard let first = members.first else {
            throw .invalid("devices", .count, expected: "one or more", found: "none")
        }
        guard members.count > 1 else { return first }
        return Device(
            backend: make(members), skipped: members.flatMap(\.skipped), reason: "a group that was asked for",
            logger: first.logger)
    }
}
