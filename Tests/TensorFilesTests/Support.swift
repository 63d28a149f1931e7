import Foundation
import TensorFiles
import Testing

/// A folder of its own for a test, removed with all that is in it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/TensorFilesTests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func write(_ bytes: [UInt8], as name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    var contents: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
}

/// The error of a call that must fail, held to what is true of all of them: one line, no control characters, not endless.
func refusal(
    _ call: () throws(TensorFileError) -> Void, sourceLocation: SourceLocation = #_sourceLocation
) -> TensorFileError? {
    do throws(TensorFileError) {
        try call()
    } catch {
        let line = error.description
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 }, sourceLocation: sourceLocation)
        #expect(!line.contains { $0.isNewline }, sourceLocation: sourceLocation)
        #expect(line.utf8.count < 2000, sourceLocation: sourceLocation)
        return error
    }
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    return nil
}

func read(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map { Array($0) } }

func content(_ name: String, _ type: TensorFileElementType, _ shape: [Int]) -> TensorFileTensor {
    let count = shape.reduce(type.byteCount, *)
    return TensorFileTensor(
        name: name, elementType: type, shape: shape,
        bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) })
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
