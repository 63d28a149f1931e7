import AttentionOpenCL

/// What a device does at best, measured by loops that do nothing else: for `attend bench` and the like.
public struct DeviceLoops: Sendable {
    private let loops: MeasuringLoops

    /// Loops for `device`; `nil` if it is no OpenCL device.
    ///
    /// `byteCount` is the memory to read, which should be larger than the caches.
    public init?(_ device: Device, byteCount: Int) throws(AttentionError) {
        guard let backend = device.backend as? OpenCLBackend else { return nil }
        loops = try MeasuringLoops(backend, byteCount: byteCount)
    }

    /// One name for each kind of multiply-add loop.
    public var multiplyAddKinds: [String] { MeasuringLoops.sumCounts.map { "\($0) sums" } }

    /// Billions of floating-point operations a second.
    public func multiplyAdd(kind: Int, steps: Int) throws(AttentionError) -> Double {
        try loops.multiplyAdd(kind: kind, steps: steps)
    }

    /// Billions of bytes a second.
    public func read() throws(AttentionError) -> Double { try loops.read() }
}
