import Foundation
import TensorFiles
import Testing

@testable import Transformers

/// A model's folder of its own for a test, removed with all that is in it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/TransformersTests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, as name: String) throws { try write(Array(text.utf8), as: name) }

    func write(_ bytes: [UInt8], as name: String) throws {
        let url = URL(fileURLWithPath: path + "/" + name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func write(_ tensors: [TensorFileTensor], as name: String) throws {
        try write(TensorFile.encoded(tensors), as: name)
    }

    var folder: ModelFolder { get throws { try ModelFolder(path: path) } }
}

/// The error of a call that must fail, held to what is true of all of them: one line, no control characters, not endless.
func refusal(
    _ call: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) -> CheckpointError? {
    do {
        try call()
    } catch let error as CheckpointError {
        let line = error.description
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 }, sourceLocation: sourceLocation)
        #expect(!line.contains { $0.isNewline }, sourceLocation: sourceLocation)
        #expect(line.utf8.count < 3000, sourceLocation: sourceLocation)
        #expect(line.contains("expected"), "\(line)", sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record("another error: \(error)", sourceLocation: sourceLocation)
        return nil
    }
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    return nil
}

/// A tensor of bytes that differ.
func stored(_ name: String, _ shape: [Int], _ type: TensorFileElementType = .float32) -> TensorFileTensor {
    let count = shape.reduce(type.byteCount, *)
    return TensorFileTensor(
        name: name, elementType: type, shape: shape,
        bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ name.utf8.count) })
}

/// SplitMix64: the same numbers from the same seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// JSON text from values, for folders that tests write.
func json(_ value: Any) throws -> String {
    String(decoding: try JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed]), as: UTF8.self)
}
