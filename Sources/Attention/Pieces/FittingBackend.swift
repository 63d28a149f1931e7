/// A backend whose calls may be larger than its memory: what does not fit is computed in pieces, one after another.
struct FittingBackend: Backend {
    let inner: any Backend

    init(_ inner: any Backend) { self.inner = inner }

    var device: DeviceDescription { inner.device }
    var statistics: BackendStatistics { inner.statistics }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        guard let limit = inner.memoryLimit else { return try inner.plan(problem, policy) }
        return try FittingPlan(problem, policy, inner, limit)
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try inner.makeStorage(byteCount: byteCount)
    }

    func releaseMemory() { inner.releaseMemory() }

    var layerFamily: String? { inner.layerFamily }

    func useLayers(ofFamily family: String?) throws(AttentionError) { try inner.useLayers(ofFamily: family) }

    func prepare(weight: Tensor) throws(AttentionError) -> any PreparedWeight { try inner.prepare(weight: weight) }

    func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError) {
        try inner.perform(operation, control)
    }

    func sequence<Result>(_ body: () throws(AttentionError) -> Result) throws(AttentionError) -> Result {
        try inner.sequence(body)
    }
}
