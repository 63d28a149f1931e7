import Foundation
import TensorFiles
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite("What is not a regular file")
struct SpecialFilesTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func kindOfOpening(_ path: String) -> TensorFileError.Kind? {
        refusal { () throws(TensorFileError) in _ = try TensorFile(path: path) }?.kind
    }

    @Test func missing() { #expect(kindOfOpening(folder.file("none")) == .cannotOpen) }

    @Test func emptyPath() { #expect(kindOfOpening("") == .cannotOpen) }

    @Test func folderItself() { #expect(kindOfOpening(folder.path) == .notARegularFile) }

    @Test func device() { #expect(kindOfOpening("/dev/zero") == .notARegularFile) }

    @Test func danglingLink() throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link"), withDestinationPath: folder.file("none"))
        #expect(kindOfOpening(folder.file("link")) == .cannotOpen)
    }

    @Test func pathTooLong() { #expect(kindOfOpening(String(repeating: "x", count: 100_000)) == .cannotOpen) }

    @Test("a path with NUL is not the path before it")
    func pathWithNul() throws {
        let path = folder.file("a")
        try TensorFile.write([], to: path)
        _ = try TensorFile(path: path)
        #expect(kindOfOpening(path + "\0b") == .cannotOpen)
    }

    @Test("a pipe without a writer is refused, not waited for", .timeLimit(.minutes(1)))
    func pipe() {
        #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
        #expect(kindOfOpening(folder.file("pipe")) == .notARegularFile)
    }

    @Test("a path with a line feed makes a message of one line")
    func pathWithLineFeed() throws {
        let path = try folder.write([1, 2], as: "a\nb")
        let error = try #require(refusal { () throws(TensorFileError) in _ = try TensorFile(path: path) })
        #expect(error.kind == .truncatedHeader)
        #expect(error.description.contains(#"/a\u{A}b: expected"#))
    }

    @Test("a file cut off after it was opened is an error, not a signal")
    func cutOff() throws {
        let path = folder.file("a")
        try TensorFile.write([content("a", .float32, [1000]), content("b", .uint8, [1])], to: path)
        let file = try TensorFile(path: path)
        let size = try #require(read(path)).count
        #expect(truncate(path, size - 1) == 0)
        #expect(try file.bytes(of: "a") == content("a", .float32, [1000]).bytes)
        let error = refusal { () throws(TensorFileError) in _ = try file.bytes(of: "b") }
        #expect(error?.kind == .changedWhileReading)
    }

    @Test("a sparse file larger than memory opens; its tensor does not fit")
    func larger() throws {
        let count = 1 << 43
        let header = #"{"a":{"dtype":"U8","shape":[\#(count)],"data_offsets":[0,\#(count)]}}"#
        let prefix = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
        let path = try folder.write(prefix + header.utf8, as: "sparse")
        guard truncate(path, 8 + header.utf8.count + count) == 0 else {
            print("SKIPPED: the file system has no files of 8 TiB")
            return
        }
        let file = try TensorFile(path: path)
        let error = refusal { () throws(TensorFileError) in _ = try file.bytes(of: "a") }
        #expect(error?.kind == .outOfMemory)
        let part = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 1)
        defer { part.deallocate() }
        part.copyBytes(from: repeatElement(9, count: 16))
        try file.read("a", from: count - 16, into: part)
        #expect(part.allSatisfy { $0 == 0 })
    }
}
