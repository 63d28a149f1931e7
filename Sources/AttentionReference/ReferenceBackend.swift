import AttentionCore

/// The definition of attention as a backend: plain loops in `Double`.
public struct ReferenceBackend: Backend {
    public let device = DeviceDescription(
        selector: "reference", name: "reference (Double)", platform: "none", kind: .reference)

    public init() {}

    public func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        throw .unsupported(device: device.name, reason: "not built yet")
    }

    public func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try HostStorage(byteCount: byteCount)
    }
}
