import Attention

/// One linear layer that `bench` times.
struct LinearShape: BenchWork, Sendable {
    let rows: Int
    let inputs: Int
    let outputs: Int
    var type = ElementType.float32

    /// `ROWS,INPUTS,OUTPUTS`; `nil` if `text` is not that.
    init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let sizes = parts.compactMap { Int($0) }
        guard sizes.count == 3, parts.count == 3, sizes.allSatisfy({ (1...(1 << 20)).contains($0) }) else { return nil }
        (rows, inputs, outputs) = (sizes[0], sizes[1], sizes[2])
    }

    var label: String { "\(rows) × \(inputs) → \(outputs)" }
    var flops: Double { 2 * Double(rows) * Double(inputs) * Double(outputs) }
    /// Weights once, input and output once.
    var movedBytes: Int { inputs * outputs * type.byteCount + rows * (inputs + outputs) * 4 }
    /// Weights stay in the caches between calls here.
    var isBoundByReading: Bool { false }
    var json: [(String, JSON)] {
        [("shape", .object([("rows", .int(rows)), ("inputs", .int(inputs)), ("outputs", .int(outputs))]))]
    }
}

/// Checks and times linear layers on one device.
struct LinearBench {
    let device: Device
    let rounds: Int
    let loops: [any PeakLoops]

    func measure(_ shape: LinearShape) throws -> BenchResult {
        let backend = device.backend
        let linear = try TimedLinear(
            rows: shape.rows, inputs: shape.inputs, outputs: shape.outputs, shape.type, on: backend)
        try backend.perform(linear.operation, RunControl())
        let failure = try linear.findings().first.map { CaseFinding($0) }
        var measurement: BenchMeasurement?
        if failure == nil {
            measurement = try BenchMeasurement(rounds: rounds, loops: loops) { _ in
                try backend.perform(linear.operation, RunControl())
            }
        }
        return BenchResult(
            device: device.description, kernel: linear.operation.name, shape: shape, coverage: linear.coverage,
            failure: failure, measurement: measurement, flops: shape.flops)
    }
}
