import Attention
import Locking

/// The projections of queries, keys and values as one matrix, of which a call takes the rows that it needs: all of them for an
/// input that attends itself, those of the queries, or those of keys and values.
///
/// Each range of rows is brought to the device when it is first asked for.
final class PackedProjection: Sendable {
    let device: Device
    private let weight: Tensor
    private let bias: Tensor?
    private let prepared = Guarded<[Range<Int>: any PreparedWeight]>([:])

    /// - Parameters:
    ///   - weight: `[outputs, inputs]` in host memory.
    ///   - bias: `[outputs]`.
    init(weight: Tensor, bias: Tensor?, device: Device) throws(AttentionError) {
        self.weight = weight
        self.bias = try bias.map { (tensor) throws(AttentionError) in try device.parameter(tensor) }
        self.device = device
    }

    /// `[…, inputs]` to `[…, rows]`.
    func callAsFunction(_ input: Tensor, rows: Range<Int>, _ pass: ForwardPass) throws(AttentionError) -> Tensor {
        let output = try pass.tensor(input.shape.dropLast() + [rows.count])
        try pass.perform(
            .linear(
                LinearOperation(
                    input: input, weight: try weight(rows), bias: try bias?.sliced(axis: 0, rows), output: output)))
        return output
    }

    private func weight(_ rows: Range<Int>) throws(AttentionError) -> any PreparedWeight {
        try prepared.withLock { (prepared) throws(AttentionError) in
            if let weight = prepared[rows] { return weight }
            let made = try device.prepare(weight: try weight.sliced(axis: 0, rows))
            prepared[rows] = made
            return made
        }
    }
}
