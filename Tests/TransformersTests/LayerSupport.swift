import Attention
import Foundation
import Testing
import Transformers

/// The folder that tests read examples from; not everybody has it.
enum Shared {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let package = root.path
    static let path = root.deletingLastPathComponent().appendingPathComponent("shared").path
    static var exists: Bool { FileManager.default.fileExists(atPath: "\(path)/conformance/layers") }
}

enum Devices {
    /// The reference, and what this machine has that computes layers.
    static let all: [Device] = {
        var devices = [Device.reference]
        for device in [try? Device.native(), try? Device.select(.cpu)] {
            if let device, computesLayers(device) { devices.append(device) }
        }
        return devices
    }()

    private static func computesLayers(_ device: Device) -> Bool {
        guard let source = try? Tensor([1.0], shape: [1]), let target = try? Tensor([0.0], shape: [1]),
            let copy = try? CopyOperation(source: source, target: target)
        else { return false }
        return (try? device.perform(.copy(copy), fallback: .never)) != nil
    }
}

/// Numbers between −1 and 1, the same for the same seed.
func numbers(_ shape: [Int], _ seed: UInt64, on device: Device) throws -> Tensor {
    let count = shape.reduce(1, *)
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    let values = (0..<count).map { _ -> Float in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Double(state >> 11) * 0x1p-52 - 1)
    }
    return try device.tensor(values, shape: shape)
}

/// Holds each element to another tensor's, relative to the largest of those.
func expectClose(
    _ found: Tensor, _ expected: Tensor, _ tolerance: Double, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(found.shape == expected.shape, "\(what)", sourceLocation: sourceLocation)
    let (values, wanted) = (try found.doubles(), try expected.doubles())
    let scale = wanted.reduce(1e-30) { max($0, abs($1)) }
    // Not by max, which passes over NaN.
    let worst = zip(values, wanted).map { abs($0 - $1) / scale }.first { !($0 <= tolerance) }
    #expect(worst == nil, "\(what): off by \(worst ?? 0) of the largest", sourceLocation: sourceLocation)
}
