import AttentionCore
import AttentionReference

/// A linear layer to time: standard normal operands where a backend computes, and a check of some rows.
package struct TimedLinear: Sendable {
    package let operation: LayerOperation
    /// What is looked at.
    package let coverage: String
    private let step: LinearOperation
    private let checked: [Int]

    package init(
        rows: Int, inputs: Int, outputs: Int, _ type: ElementType, on backend: any Backend
    ) throws(AttentionError) {
        var random = SeededGenerator(seed: 1)
        let weight = try random.cheapTensor([outputs, inputs], type)
        step = try LinearOperation(
            input: try TimedOperands.moved(random.cheapTensor([rows, inputs], .float32), backend),
            weight: try backend.prepare(weight: weight),
            bias: try TimedOperands.moved(random.cheapTensor([outputs], .float32), backend),
            output: try TimedOperands.moved(Tensor(zeros: [rows, outputs], elementType: .float32), backend))
        operation = .linear(step)
        checked = Set([0, rows / 2, rows - 1]).sorted()
        coverage = rows > checked.count ? "\(checked.count) rows" : "everything"
    }

    /// The gates that the output does not hold; empty if it is right.
    package func findings() throws(AttentionError) -> [ReferenceCheck.Finding] {
        var all: [ReferenceCheck.Finding] = []
        for row in checked {
            func one(_ matrix: Matrix) throws(AttentionError) -> Tensor {
                try matrix.tensor.onHost().sliced(axis: 0, row..<row + 1)
            }
            let part = try LinearOperation(
                input: try one(step.input), weight: step.weight, bias: step.bias, output: try one(step.output))
            all += try LayerReference.findings(try LayerReference.evaluate(.linear(part)))
        }
        return all
    }
}
