import Foundation
import TensorFiles
import Testing

@Suite("Files written by others")
struct ConformanceFilesTests {
    /// `../shared/conformance` beside the package, where a checkout has it.
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/conformance")

    @Test("the conformance files open, read and survive being written")
    func conformance() throws {
        // A link is followed only with a slash at the end.
        let found = FileManager.default.enumerator(
            at: Self.folder.resolvingSymlinksInPath(), includingPropertiesForKeys: nil)
        let files = (found?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "safetensors" }
        if files.isEmpty {
            print("SKIPPED: no conformance files at ../shared/conformance")
            return
        }
        #expect(files.count >= 62)
        var tensorCount = 0
        for url in files {
            let file = try TensorFile(path: url.path)
            #expect(!file.entries.isEmpty, "\(url.lastPathComponent)")
            var tensors: [TensorFileTensor] = []
            for entry in file.entries {
                let bytes = try file.bytes(of: entry.name)
                #expect(bytes.count == entry.byteCount)
                tensors.append(
                    TensorFileTensor(
                        name: entry.name, elementType: entry.elementType, shape: entry.shape, bytes: bytes))
            }
            let again = try TensorFile(bytes: TensorFile.encoded(tensors, metadata: file.metadata))
            #expect(again.metadata == file.metadata)
            for tensor in tensors {
                #expect(again[tensor.name]?.shape == tensor.shape)
                #expect(try again.bytes(of: tensor.name) == tensor.bytes)
            }
            tensorCount += tensors.count
        }
        print("read \(files.count) conformance files, \(tensorCount) tensors")
    }
}
