import AttentionCore
import Locking

/// How fast each device of a group is, as measured: multiply-adds a second, by kind of call.
///
/// Each share that is computed counts, the newer the more. Plans read this when they are made and keep their shares.
final class SpeedTable: Sendable {
    /// Calls that a device is about equally fast at.
    struct Kind: Hashable, Sendable {
        let queryType: ElementType
        let valueType: ElementType
        let headDimension: Int
        let valueDimension: Int
        /// Reading keys takes the time, and not computing.
        let hasFewRows: Bool
        let hasMask: Bool
        let hasScores: Bool

        init(_ problem: AttentionProblem) {
            let shape = problem.shape
            queryType = problem.queryType
            valueType = problem.valueType
            headDimension = shape.headDimension
            valueDimension = shape.valueDimension
            hasFewRows = shape.queryLength * shape.queryHeads <= 8 * max(shape.keyValueHeads, 1)
            hasMask = problem.maskType != nil
            hasScores = problem.scores != nil
        }
    }

    private struct Key: Hashable {
        let device: Int
        let kind: Kind
    }

    /// The weight of the newest measurement.
    private static let weight = 0.25

    private let speeds = Guarded<[Key: Double]>([:])

    func speed(_ device: Int, _ kind: Kind) -> Double? { speeds.withLock { $0[Key(device: device, kind: kind)] } }

    func record(_ device: Int, _ kind: Kind, work: Double, _ time: Duration) {
        let seconds = max(time / .seconds(1), 1e-9)
        speeds.withLock { speeds in
            let (key, found) = (Key(device: device, kind: kind), work / seconds)
            // Times are averaged, not speeds, so that a call that waited for others does not count for more than it took.
            speeds[key] = speeds[key].map { 1 / ((1 - Self.weight) / $0 + Self.weight / found) } ?? found
        }
    }

    /// Multiply-adds of a call, and one for each row that it writes.
    static func work(_ problem: AttentionProblem) -> Double {
        let shape = problem.shape
        let rows = shape.batch * shape.queryHeads * shape.queryLength
        return Double(problem.attendedPairs) * Double(shape.headDimension + shape.valueDimension) + Double(rows)
    }
}
