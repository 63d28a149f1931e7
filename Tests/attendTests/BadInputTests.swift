import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite(.enabled(if: Attend.isBuilt, "attend is not built beside the tests"))
struct BadInputTests {
    private func expectBadInput(
        _ path: String, _ folder: TemporaryFolder, names: [String], _ place: SourceLocation = #_sourceLocation
    ) throws {
        for arguments in [
            ["run", path, "-o", folder.path("out.safetensors"), "--device", "reference"],
            ["conform", path, "--json", "--device", "reference"],
        ] {
            let result = try Attend.run(arguments, in: folder)
            #expect(result.status == 65, "\(arguments[0]): \(result.errors)", sourceLocation: place)
            #expect(result.output.isEmpty, sourceLocation: place)
            #expect(
                result.errorLines.count == 1 && result.errors.hasPrefix("error: "), "\(result.errors)",
                sourceLocation: place)
            for name in names {
                #expect(result.errors.contains(name), "\(name) in: \(result.errors)", sourceLocation: place)
            }
            #expect(!folder.has("out.safetensors"), sourceLocation: place)
        }
    }

    @Test func everyMalformedFile() throws {
        let folder = try TemporaryFolder()
        for (index, file) in malformedTensorFiles().enumerated() {
            let path = try folder.write(file.bytes, to: "malformed-\(index).safetensors")
            let result = try Attend.run(["run", path, "-o", folder.path("out"), "--device", "reference"], in: folder)
            #expect(result.status == 65, "\(file.name): status \(result.status)")
            #expect(result.output.isEmpty, "\(file.name)")
            #expect(
                result.errorLines.count == 1 && result.errors.hasPrefix("error: ")
                    && result.errors.contains("malformed-\(index)"), "\(file.name): \(result.errors)")
        }
        #expect(!folder.has("out"))
    }

    @Test func missingFileAndFolder() throws {
        let folder = try TemporaryFolder()
        try expectBadInput(folder.path("nowhere.safetensors"), folder, names: ["nowhere.safetensors"])
        let empty = folder.path("pocl")
        #expect(try Attend.run(["conform", empty], in: folder).status == 65)
    }

    @Test(arguments: [
        ("is_causal", "2"), ("is_causal", "true"), ("is_causal", ""), ("scale", "inf"), ("scale", "0x1p2"),
        ("scale", "1 "), ("scale", "1e999"), ("softcap", "-1"), ("softcap", "nan"), ("left_window_size", "-2"),
        ("right_window_size", "1.0"), ("left_window_size", "99999999999999999999"), ("q_num_heads", "0"),
        ("kv_num_heads", "x"), ("qk_matmul_output_mode", "4"), ("qk_matmul_output_mode", "-1"),
        ("causal_alignment", "middle"), ("rtol", "-1"), ("atol", "small"),
    ])
    func metadata(key: String, value: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(SmallCase.operands, metadata: [key: value], to: "case.safetensors")
        try expectBadInput(path, folder, names: ["case.safetensors", key])
    }

    @Test func tensors() throws {
        let folder = try TemporaryFolder()
        func check(_ tensors: [TensorFileTensor], _ names: [String], _ place: SourceLocation = #_sourceLocation) throws
        {
            let path = try folder.write(tensors, to: "case.safetensors")
            try expectBadInput(path, folder, names: ["case.safetensors"] + names, place)
        }
        let operands = SmallCase.operands
        try check(operands + [SmallCase.floats("extra", [1], [1])], ["extra"])
        try check(Array(operands.dropFirst()), ["'Q'"])
        try check(operands + [SmallCase.floats("query", [0, 0, 0, 0], [1, 1, 2, 2])], ["query"])
        try check(operands + [SmallCase.floats("nonpad_kv_seqlen", [1], [1])], ["nonpad_kv_seqlen", "F32"])
        try check(operands + [SmallCase.integers("nonpad_kv_seqlen", [3])], ["nonpad_kv_seqlen"])
        try check(operands + [SmallCase.integers("nonpad_kv_seqlen", [1, 1])], ["nonpad_kv_seqlen"])
        try check(operands + [SmallCase.integers("cu_seqlens_q", [0, 2])], ["cu_seqlens_k"])
        try check(operands + [SmallCase.integers("sinks", [0])], ["sinks", "I64"])
        try check(operands + [SmallCase.floats("sinks", [0, 0], [2])], ["sinks"])
        try check(operands + [SmallCase.floats("past_key", [0, 0], [1, 1, 1, 2])], ["past_value"])
        try check(operands + [SmallCase.floats("attn_mask", [0, 0, 0], [3, 1])], ["attn_mask"])
        let mask = TensorFileTensor(name: "attn_mask", elementType: .bool, shape: [2], bytes: [1, 2])
        try check(operands + [mask], ["attn_mask", "booleans"])
        let bytes = TensorFileTensor(name: "attn_mask", elementType: .uint8, shape: [2], bytes: [1, 1])
        try check(operands + [bytes], ["attn_mask", "U8"])
    }

    @Test func shapesThatDoNotFit() throws {
        let folder = try TemporaryFolder()
        var operands = SmallCase.operands
        operands[1] = SmallCase.floats("K", [1, 2, 3], [1, 1, 1, 3])
        let path = try folder.write(operands, to: "case.safetensors")
        try expectBadInput(path, folder, names: ["case.safetensors", "K"])
    }

    @Test func existingOutputIsUntouched() throws {
        let folder = try TemporaryFolder()
        let out = try folder.write(Array("before".utf8), to: "out")
        let path = try folder.write(SmallCase.operands, metadata: ["scale": "x"], to: "case.safetensors")
        #expect(try Attend.run(["run", path, "-o", out], in: folder).status == 65)
        #expect(try String(contentsOfFile: out, encoding: .utf8) == "before")
    }
}
