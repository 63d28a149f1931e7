import Attention
import Testing

@Suite struct PlanCacheTests {
    /// A call of a known kind plans nothing again; lengths and elements are free.
    @Test func callsOfOneKindShareAPlan() throws {
        let device = Device.reference
        func call(_ rows: Int, lengths: [Int]? = nil, policy: PlanPolicy = .init()) throws {
            let tensor = try Tensor([Float](repeating: 0.5, count: rows * 4), shape: [1, 1, rows, 4])
            var inputs = AttentionInputs(query: tensor, key: tensor, value: tensor)
            inputs.keyLengths = lengths
            _ = try device.attend(inputs, policy: policy)
        }
        try call(3)
        try call(3)
        try call(3, lengths: [2])
        #expect(device.statistics.plans == 1)
        #expect(device.statistics.planHits == 2)
        try call(4)
        try call(4, policy: PlanPolicy(workspaceLimit: 1))
        #expect(device.statistics.plans == 3)
        #expect(device.statistics.planMisses == 3)
        device.releaseMemory()
        #expect(device.statistics.plans == 0)
        try call(3)
        #expect(device.statistics.planMisses == 4)
    }
}
