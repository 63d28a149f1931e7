import AttentionCore

/// Attention on one OpenCL device.
public final class OpenCLBackend: Backend {
    public let device: DeviceDescription

    init(device: DeviceDescription) { self.device = device }

    public func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        throw .unsupported(device: device.name, reason: "not built yet")
    }

    public func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        throw .unsupported(device: device.name, reason: "not built yet")
    }
}
