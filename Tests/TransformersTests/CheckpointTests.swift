import AttentionCore
import Foundation
import TensorFiles
import Testing

@testable import Transformers

@Suite("Checkpoints")
struct CheckpointTests {
    @Test("tensors keep their type and their bytes", arguments: [TensorFileElementType.float32, .float16, .bfloat16])
    func types(_ type: TensorFileElementType) throws {
        let folder = try TemporaryFolder()
        let tensors = [stored("w", [3, 2], type), stored("empty", [0, 4], type), stored("scalar", [], type)]
        try folder.write(tensors, as: "model.safetensors")
        let checkpoint = try Checkpoint(folder: folder.folder)
        #expect(checkpoint.names == ["empty", "scalar", "w"])
        for tensor in tensors {
            let read = try checkpoint.tensor(named: tensor.name, shape: tensor.shape)
            #expect(read.shape == tensor.shape)
            #expect(read.elementType.byteCount == type.byteCount && read.elementType.isFloatingPoint)
            #expect(try read.contiguousBytes() == tensor.bytes)
        }
    }

    private static func writeShards(_ map: [String: String], in folder: TemporaryFolder) throws {
        try folder.write([stored("a", [2]), stored("b", [1, 3])], as: "model-00001-of-00002.safetensors")
        try folder.write([stored("c", [4], .bfloat16)], as: "model-00002-of-00002.safetensors")
        try folder.write(
            try json(["metadata": ["total_size": 28], "weight_map": map] as [String: Any]),
            as: "model.safetensors.index.json")
    }

    private static let map = [
        "a": "model-00001-of-00002.safetensors", "b": "model-00001-of-00002.safetensors",
        "c": "model-00002-of-00002.safetensors",
    ]

    @Test("tensors of several files")
    func shards() throws {
        let folder = try TemporaryFolder()
        try Self.writeShards(Self.map, in: folder)
        let checkpoint = try Checkpoint(folder: folder.folder)
        try checkpoint.check([.init("a", [2]), .init("b", [1, 3]), .init("c", [4])])
        #expect(try checkpoint.tensor(named: "c", shape: [4]).elementType == .bfloat16)
        #expect(
            try checkpoint.tensor(named: "b", shape: [1, 3]).contiguousBytes()
                == stored("b", [1, 3]).bytes)
        // One file is read rather than an index beside it.
        try folder.write([stored("d", [1])], as: "model.safetensors")
        #expect(try Checkpoint(folder: folder.folder).names == ["d"])
    }

    @Test("an index that is not what the files hold is refused")
    func wrongIndex() throws {
        let folder = try TemporaryFolder()
        func failure(_ change: (inout [String: String]) -> Void) throws -> CheckpointError? {
            var map = Self.map
            change(&map)
            try Self.writeShards(map, in: folder)
            return refusal { _ = try Checkpoint(folder: folder.folder) }
        }
        #expect(try failure { $0["x"] = "model-00001-of-00002.safetensors" }?.missing == ["x"])
        #expect(try failure { $0["a"] = "model-00002-of-00002.safetensors" }?.missing == ["a"])
        #expect(try failure { $0["a"] = nil }?.extra == ["a"])
        #expect(try failure { $0["a"] = "model-00003.safetensors" }?.kind == .missingFile)
        for name in ["../model.safetensors", "/etc/passwd", "", ".", "..", "sub/x.safetensors", "a\0b"] {
            #expect(try failure { $0["a"] = name }?.kind == .pathLeavesFolder, "\(name.debugDescription)")
        }
        try Self.writeShards(Self.map, in: folder)
        try folder.write(
            [stored("c", [4], .bfloat16), stored("a", [2])], as: "model-00002-of-00002.safetensors")
        #expect(refusal { _ = try Checkpoint(folder: folder.folder) }?.extra == ["a"])
        try folder.write(#"{"weight_map": {"a": 1}}"#, as: "model.safetensors.index.json")
        #expect(refusal { _ = try Checkpoint(folder: folder.folder) }?.kind == .wrongType)
        try folder.write(#"{"weight_map": []}"#, as: "model.safetensors.index.json")
        #expect(refusal { _ = try Checkpoint(folder: folder.folder) }?.kind == .wrongType)
    }

    @Test("missing, extra and misshapen tensors are listed together")
    func check() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            [
                stored("a", [2]), stored("b", [1, 3]), stored("ids", [4], .int64), stored("pooler.x", [1]),
                stored("double", [2], .float64), stored("odd", [1]), stored("new\nline", [1]),
            ], as: "model.safetensors")
        let checkpoint = try Checkpoint(folder: folder.folder)
        let error = refusal {
            try checkpoint.check(
                [
                    .init("z", [1]), .init("a", [2]), .init("b", [3, 1]), .init("double", [2]), .init("y", [1]),
                    .init("option", [1], isOptional: true),
                ], allowing: [.named("ids"), .beginning("pooler.")])
        }
        #expect(error?.kind == .tensors)
        #expect(error?.missing == ["z", "y"])
        #expect(error?.extra == ["new\nline", "odd"])
        #expect(error?.misshapen.map(\.name) == ["b", "double"])
        #expect(
            error?.found == #"2 missing ("z", "y"); 2 extra ("new\u{A}line", "odd"); 2 misshapen ("b" F32 [1, 3], "#
                + #"not [3, 1], "double" F64 [2], not F32, F16 or BF16 [2])"#)
        #expect(error?.description.contains("model.safetensors") == true)
        #expect(refusal { _ = try checkpoint.tensor(named: "z", shape: [1]) }?.missing == ["z"])
        #expect(refusal { _ = try checkpoint.tensor(named: "a", shape: [1]) }?.misshapen.first?.expected == [1])
        let many = (0..<1000).map { Checkpoint.Expected("tensor \($0)", [1]) }
        let long = refusal { try checkpoint.check(many) }
        #expect(long?.missing.count == 1000)
        #expect(long?.found.contains("1000 missing") == true)
    }

    @Test("names may change, but two may not become one")
    func renaming() throws {
        let folder = try TemporaryFolder()
        try folder.write([stored("bert.a", [2]), stored("b", [1])], as: "model.safetensors")
        let checkpoint = try Checkpoint(folder: folder.folder)
        let renamed = try checkpoint.renamed { $0 == "bert.a" ? "a" : $0 }
        #expect(renamed.names == ["a", "b"])
        #expect(
            try renamed.tensor(named: "a", shape: [2]).contiguousBytes()
                == stored("bert.a", [2]).bytes)
        #expect(refusal { _ = try checkpoint.renamed { _ in "same" } }?.extra == ["bert.a"])
    }

    @Test("every place at which a file may end too early is refused when it is opened")
    func truncation() throws {
        let folder = try TemporaryFolder()
        let bytes = try TensorFile.encoded([stored("a", [2]), stored("b", [1, 3])])
        for length in 0..<bytes.count {
            try folder.write(Array(bytes.prefix(length)), as: "model.safetensors")
            let error = refusal { _ = try Checkpoint(folder: folder.folder) }
            #expect(error?.kind == .tensorFile && error?.tensorFileError != nil)
        }
        #expect(refusal { _ = try Checkpoint(folder: TemporaryFolder().folder) }?.kind == .missingFile)
    }
}
