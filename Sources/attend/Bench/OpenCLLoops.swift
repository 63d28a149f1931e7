import Attention

/// The loops of the device itself.
final class OpenCLLoops: PeakLoops {
    let place: String
    private let loops: DeviceLoops
    private let steps: Int

    var multiplyAddKinds: [String] { loops.multiplyAddKinds }
    let readKinds = ["contiguous shares"]

    /// `nil` for a device that has none of its own.
    init?(_ device: Device) throws {
        // Four times what the caches hold; a device's cache is taken to be no larger than the processor's.
        let byteCount = min(max(4 * Caches.lastLevelBytes, 64 << 20), 1 << 30)
        guard let loops = try DeviceLoops(device, byteCount: byteCount) else { return nil }
        self.loops = loops
        place = device.description.selector
        // The first call builds the kernel, the second is timed: about 10 ms a measurement from then on.
        let probe = 20_000
        _ = try loops.multiplyAdd(kind: 0, steps: probe)
        let clock = ContinuousClock()
        let time = try clock.measure { _ = try loops.multiplyAdd(kind: 0, steps: probe) }
        steps = max(probe, min(50_000_000, Int(Double(probe) * 0.01 / max(time / .seconds(1), 1e-6))))
    }

    func multiplyAdd(kind: Int) throws -> Double { try loops.multiplyAdd(kind: kind, steps: steps) }
    func read(kind: Int) throws -> Double { try loops.read() }
}
