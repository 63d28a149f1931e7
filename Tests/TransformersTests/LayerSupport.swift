import Attention
import Foundation
import Transformers

/// The folder that tests read examples from; not everybody has it.
enum Shared {
    static let path: String = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return package.deletingLastPathComponent().appendingPathComponent("shared").path
    }()
    static var exists: Bool { FileManager.default.fileExists(atPath: "\(path)/conformance/layers") }
}

enum Devices {
    /// The reference, and what this machine has that computes layers.
    static let all: [Device] = {
        var devices = [Device.reference]
        if let native = try? Device.native(), computesLayers(native) { devices.append(native) }
        return devices
    }()

    private static func computesLayers(_ device: Device) -> Bool {
        guard let source = try? Tensor([1.0], shape: [1]), let target = try? Tensor([0.0], shape: [1]),
            let copy = try? CopyOperation(source: source, target: target)
        else { return false }
        return (try? device.perform(.copy(copy), fallback: .never)) != nil
    }
}
