import Foundation
import TensorFiles
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite("Writer")
struct WriterTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let refusals: [(TensorFileError.Kind, [TensorFileTensor])] = [
        (.duplicateKey, [content("a", .uint8, [1]), content("a", .uint8, [1])]),
        (.duplicateKey, [content("\u{E9}", .uint8, [1]), content("e\u{301}", .uint8, [1])]),
        (.invalidString, [content("a" + String(repeating: "\u{301}", count: 31), .uint8, [1])]),
        (.reservedName, [content("__metadata__", .uint8, [1])]),
        (.byteCountMismatch, [TensorFileTensor(name: "a", elementType: .float32, shape: [2], bytes: [1, 2])]),
        (.byteCountMismatch, [TensorFileTensor(name: "a", elementType: .float32, shape: [], bytes: [])]),
        (.byteCountMismatch, [TensorFileTensor(name: "a", elementType: .uint8, shape: [0], bytes: [1])]),
        (.invalidNumber, [TensorFileTensor(name: "a", elementType: .uint8, shape: [-1, -1], bytes: [1])]),
        (.sizeOverflow, [TensorFileTensor(name: "a", elementType: .uint8, shape: [.max, .max], bytes: [])]),
        (.sizeOverflow, [TensorFileTensor(name: "a", elementType: .float64, shape: [.max, 0], bytes: [])]),
        (.rankTooHigh, [content("a", .uint8, [Int](repeating: 1, count: 65))]),
    ]

    @Test("refuses what could not be read back, and touches no file", arguments: refusals)
    func refuses(kind: TensorFileError.Kind, tensors: [TensorFileTensor]) throws {
        let path = folder.file("f")
        #expect(refusal { () throws(TensorFileError) in try TensorFile.write(tensors, to: path) }?.kind == kind)
        #expect(refusal { () throws(TensorFileError) in _ = try TensorFile.encoded(tensors) }?.kind == kind)
        #expect(try folder.contents.isEmpty)
    }

    @Test("refuses a header over the limit")
    func headerTooLong() throws {
        let metadata = ["k": String(repeating: "x", count: 100_000_000)]
        let error = refusal { () throws(TensorFileError) in _ = try TensorFile.encoded([], metadata: metadata) }
        #expect(error?.kind == .headerTooLong)
    }

    /// Where a write fails, and with which calls. Two tensors and a header make at least three writes.
    static let failures: [(String, SystemCalls)] = {
        func failing(_ change: (inout SystemCalls) -> Void) -> SystemCalls {
            var calls = SystemCalls.real
            change(&calls)
            return calls
        }
        let full = SystemFailure(call: "write", code: ENOSPC)
        return [
            ("first write", failing { $0.write = { _, _ throws(SystemFailure) in throw full } }),
            (
                "data",
                failing {
                    $0.write = { descriptor, bytes throws(SystemFailure) in
                        if bytes.count == 4000 { throw full }
                        return try SystemCalls.real.write(descriptor, bytes)
                    }
                }
            ),
            (
                "within the data",
                failing {
                    $0.write = { descriptor, bytes throws(SystemFailure) in
                        if bytes.count < 3900, bytes.count > 1000 { throw full }
                        return try SystemCalls.real.write(
                            descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(77)))
                    }
                }
            ),
            ("no progress", failing { $0.write = { _, _ throws(SystemFailure) in 0 } }),
            (
                "sync",
                failing {
                    $0.synchronize = { _ throws(SystemFailure) in throw SystemFailure(call: "fsync", code: EIO) }
                }
            ),
            (
                "rename",
                failing {
                    $0.rename = { _, _ throws(SystemFailure) in throw SystemFailure(call: "rename", code: EACCES) }
                }
            ),
        ]
    }()

    @Test("a failure leaves neither target nor another file", arguments: failures, [false, true])
    func failureLeavesNothing(failure: (name: String, calls: SystemCalls), targetExists: Bool) throws {
        let path = folder.file("f")
        if targetExists { _ = try folder.write([1, 2, 3], as: "f") }
        let tensors = [content("a", .float32, [1000]), content("b", .uint8, [3])]
        let error = try #require(
            refusal { () throws(TensorFileError) in
                try TensorFile.write(tensors, metadata: [:], to: path, calls: failure.calls)
            })
        #expect(error.kind == .cannotWrite)
        #expect(try folder.contents == (targetExists ? ["f"] : []))
        #expect(read(path) == (targetExists ? [1, 2, 3] : nil))
        #expect(failure.name == "no progress" || error.found.contains("errno"), "\(error)")
    }

    @Test("writes that take only some of the bytes are continued")
    func shortWrites() throws {
        var calls = SystemCalls.real
        calls.write = { descriptor, bytes throws(SystemFailure) in
            try SystemCalls.real.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(13)))
        }
        let tensors = [content("a", .float32, [100])]
        try TensorFile.write(tensors, metadata: ["k": "v"], to: folder.file("f"), calls: calls)
        #expect(read(folder.file("f")) == (try TensorFile.encoded(tensors, metadata: ["k": "v"])))
    }

    @Test("a folder that is missing, a folder or pipe in the target's place")
    func occupied() throws {
        try FileManager.default.createDirectory(atPath: folder.file("d"), withIntermediateDirectories: false)
        // Not a device: a fault here would replace it.
        #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
        for (path, kind) in [
            (folder.file("none/f"), TensorFileError.Kind.cannotWrite), (folder.file("d"), .notARegularFile),
            (folder.file("pipe"), .notARegularFile), ("", .cannotWrite), (folder.file("f\0g"), .cannotWrite),
            (folder.file(String(repeating: "n", count: 300)), .cannotWrite),
        ] {
            let error = refusal { () throws(TensorFileError) in try TensorFile.write([], to: path) }
            #expect(error?.kind == kind, "\(path)")
        }
        #expect(try folder.contents == ["d", "pipe"])
    }

    @Test("replaces a file, keeps its permissions, and goes through a link")
    func replaces() throws {
        let path = try folder.write([1, 2, 3], as: "f")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: path)
        let tensors = [content("a", .float32, [2])]
        for target in [path, folder.file("link")] {
            try TensorFile.write(tensors, metadata: ["to": target], to: target)
            #expect(read(path) == (try TensorFile.encoded(tensors, metadata: ["to": target])))
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o640)
        }
        #expect(try folder.contents == ["f", "link"])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("link")) == path)
    }

    @Test("a file that is open stays readable while it is replaced")
    func replacedWhileOpen() throws {
        let path = folder.file("f")
        try TensorFile.write([content("a", .uint8, [10])], to: path)
        let before = try TensorFile(path: path)
        try TensorFile.write([content("b", .uint8, [1])], to: path)
        #expect(try before.bytes(of: "a") == content("a", .uint8, [10]).bytes)
        #expect(try TensorFile(path: path).entries.map(\.name) == ["b"])
    }
}
