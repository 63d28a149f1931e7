import Foundation
import TensorFiles

/// Case files of one query head and two keys, whose results are known by hand.
enum SmallCase {
    static func floats(_ name: String, _ values: [Float], _ shape: [Int]) -> TensorFileTensor {
        TensorFileTensor(
            name: name, elementType: .float32, shape: shape,
            bytes: values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } })
    }

    static func integers(_ name: String, _ values: [Int64]) -> TensorFileTensor {
        TensorFileTensor(
            name: name, elementType: .int64, shape: [values.count],
            bytes: values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } })
    }

    /// Two queries that weigh both keys alike: both results are the mean of the values, (2, 3).
    static var operands: [TensorFileTensor] {
        [
            floats("Q", [0, 0, 0, 0], [1, 1, 2, 2]), floats("K", [1, 2, 3, 4], [1, 1, 2, 2]),
            floats("V", [1, 2, 3, 4], [1, 1, 2, 2]),
        ]
    }

    static let mean: [Float] = [2, 3, 2, 3]
    /// Under a causal mask the first query sees the first value alone.
    static let causal: [Float] = [1, 2, 2, 3]

    static func expected(_ values: [Float] = mean) -> TensorFileTensor { floats("Y", values, [1, 1, 2, 2]) }

    static func read(_ name: String, from path: String) throws -> [Float] {
        let bytes = try TensorFile(path: path).bytes(of: name)
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
        }
    }
}
