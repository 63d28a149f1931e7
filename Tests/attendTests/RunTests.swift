import Foundation
import TensorFiles
import Testing

@Suite(.enabled(if: Attend.isBuilt, "attend is not built beside the tests"))
struct RunTests {
    private func run(
        _ tensors: [TensorFileTensor], metadata: [String: String] = [:], _ flags: [String] = [],
        in folder: TemporaryFolder
    ) throws -> Attend.Result {
        let path = try folder.write(tensors, metadata: metadata, to: "in.safetensors")
        return try Attend.run(
            ["run", path, "-o", folder.path("out.safetensors"), "--device", "reference"] + flags, in: folder)
    }

    @Test func roundTrip() throws {
        let folder = try TemporaryFolder()
        let result = try run(SmallCase.operands, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.isEmpty)
        let out = folder.path("out.safetensors")
        #expect(try TensorFile(path: out).entries.map(\.name) == ["Y"])
        #expect(try TensorFile(path: out).entries[0].shape == [1, 1, 2, 2])
        #expect(try SmallCase.read("Y", from: out) == SmallCase.mean)
    }

    @Test func namesInFull() throws {
        let folder = try TemporaryFolder()
        var operands = SmallCase.operands
        for (index, name) in ["query", "key", "value"].enumerated() { operands[index].name = name }
        #expect(try run(operands, in: folder).status == 0)
        #expect(try SmallCase.read("Y", from: folder.path("out.safetensors")) == SmallCase.mean)
    }

    @Test func flagsWinOverMetadata() throws {
        let folder = try TemporaryFolder()
        let out = folder.path("out.safetensors")
        #expect(try run(SmallCase.operands, metadata: ["is_causal": "1"], in: folder).status == 0)
        #expect(try SmallCase.read("Y", from: out) == SmallCase.causal)
        #expect(try run(SmallCase.operands, ["--causal"], in: folder).status == 0)
        #expect(try SmallCase.read("Y", from: out) == SmallCase.causal)
        // A window of none but the query's own key, which the flag takes back.
        let windows = ["left_window_size": "0", "right_window_size": "0"]
        #expect(try run(SmallCase.operands, metadata: windows, in: folder).status == 0)
        #expect(try SmallCase.read("Y", from: out) == [1, 2, 3, 4])
        #expect(try run(SmallCase.operands, metadata: windows, ["--window-left", "-1"], in: folder).status == 0)
        #expect(try SmallCase.read("Y", from: out) == [1, 2, 2, 3])
        let understood = [
            "name": "x", "note": "y", "opset": "25", "softmax_precision": "1", "rtol": "0.1", "atol": "0", "other": "z",
            "left_window_size": "-1",
        ]
        #expect(try run(SmallCase.operands, metadata: understood, in: folder).status == 0)
        #expect(try SmallCase.read("Y", from: out) == SmallCase.mean)
    }

    @Test func everyResult() throws {
        let folder = try TemporaryFolder()
        let past = [
            SmallCase.floats("past_key", [9, 9], [1, 1, 1, 2]), SmallCase.floats("past_value", [5, 6], [1, 1, 1, 2]),
        ]
        let result = try run(SmallCase.operands + past, ["--scores", "3", "--log-sum-exp"], in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let out = folder.path("out.safetensors")
        let names = try TensorFile(path: out).entries.map(\.name).sorted()
        #expect(names == ["Y", "log_sum_exp", "present_key", "present_value", "qk_matmul_output"])
        #expect(try SmallCase.read("present_key", from: out) == [9, 9, 1, 2, 3, 4])
        #expect(try SmallCase.read("present_value", from: out) == [5, 6, 1, 2, 3, 4])
        #expect(try SmallCase.read("log_sum_exp", from: out).allSatisfy { abs($0 - Float(log(3.0))) < 1e-6 })
        #expect(try SmallCase.read("qk_matmul_output", from: out).allSatisfy { abs($0 - 1.0 / 3) < 1e-6 })
    }

    @Test func lengthsHeadsAndPacking() throws {
        let folder = try TemporaryFolder()
        let out = folder.path("out.safetensors")
        #expect(try run(SmallCase.operands + [SmallCase.integers("nonpad_kv_seqlen", [1])], in: folder).status == 0)
        #expect(try SmallCase.read("Y", from: out) == [1, 2, 1, 2])
        let offsets = ["cu_seqlens_q", "cu_seqlens_k"].map { SmallCase.integers($0, [0, 1, 2]) }
        #expect(try run(SmallCase.operands + offsets, in: folder).status == 0)
        #expect(try SmallCase.read("Y", from: out) == [1, 2, 3, 4])
        let flat = SmallCase.operands.map { tensor in
            var tensor = tensor
            tensor.shape = [1, 2, 2]
            return tensor
        }
        #expect(try run(flat, in: folder).status == 65)
        #expect(try run(flat, ["--query-heads", "2", "--key-value-heads", "2"], in: folder).status == 0)
        #expect(try run(flat, metadata: ["q_num_heads": "1", "kv_num_heads": "1"], in: folder).status == 0)
        #expect(try SmallCase.read("Y", from: out) == SmallCase.mean)
    }

    @Test func json() throws {
        let folder = try TemporaryFolder()
        let result = try run(SmallCase.operands + [SmallCase.expected()], ["--json"], in: folder)
        let json = try #require(result.json, "\(result.output)")
        #expect(
            Set(json.keys).isSuperset(of: [
                "device", "kernel", "fallbacks", "milliseconds", "shape", "scratch_bytes", "build",
            ]))
        let device = try #require(json["device"] as? [String: Any])
        #expect(device["kind"] as? String == "reference")
        #expect(Set(device.keys).isSuperset(of: ["name", "platform", "kind"]))
        let shape = try #require(json["shape"] as? [String: Int])
        #expect(
            shape == [
                "batch": 1, "query_heads": 1, "key_value_heads": 1, "query_length": 2, "key_length": 2,
                "head_dimension": 2, "value_dimension": 2,
            ])
        let times = try #require(json["milliseconds"] as? [String: Any])
        #expect(times["total"] as? Double != nil && times.keys.contains("kernel"))
        #expect((json["fallbacks"] as? [Any])?.isEmpty == true)
        #expect((json["agreement"] as? [String: Any])?["passes"] as? Bool == true)
    }

    @Test func peopleSeeDeviceKernelTimeAndAgreement() throws {
        let folder = try TemporaryFolder()
        let result = try run(SmallCase.operands + [SmallCase.expected()], in: folder)
        for word in ["device", "kernel", "time", "shape", "agreement"] { #expect(result.output.contains(word)) }
    }

    @Test(arguments: ["no such device", "opencl:99.0", "opencl:x"])
    func devicesThatAreNotThere(selector: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(SmallCase.operands, to: "in.safetensors")
        for command in [["run", path, "-o", folder.path("out")], ["conform", path], ["verify"], ["bench"]] {
            let result = try Attend.run(command + ["--device", selector, "--json"], in: folder)
            #expect(result.status == 69, "\(command[0]): \(result.errors)")
            #expect(result.output.isEmpty)
            #expect(result.errorLines.count == 1 && result.errors.hasPrefix("error: "), "\(result.errors)")
            #expect(result.errors.contains(selector))
            #expect(!folder.has("out"))
        }
    }

    @Test func outputThatCannotBeWritten() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(SmallCase.operands, to: "in.safetensors")
        for out in [folder.path("nowhere/out"), folder.root] {
            let result = try Attend.run(["run", path, "-o", out, "--device", "reference"], in: folder)
            #expect(result.status == 65)
            #expect(result.errorLines.count == 1 && result.errors.hasPrefix("error: "), "\(result.errors)")
            #expect(result.output.isEmpty)
        }
    }

    /// A machine without any OpenCL platform still computes, and says what it did without.
    @Test func fallbackIsOneLineAndInJSON() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(SmallCase.operands, to: "in.safetensors")
        let nowhere = ["OCL_ICD_VENDORS": folder.path("pocl")]
        let result = try Attend.run(["run", path, "--json"], environment: nowhere, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let fallbacks = try #require(result.json?["fallbacks"] as? [[String: String]])
        #expect(!fallbacks.isEmpty)
        #expect(fallbacks.allSatisfy { Set($0.keys) == ["from", "reason"] })
        #expect(result.errorLines.count == fallbacks.count)
        #expect(result.errorLines.allSatisfy { $0.hasPrefix("fallback: ") })
        let named = try Attend.run(["run", path, "--device", "cpu"], environment: nowhere, in: folder)
        #expect(named.status == 69, "asked for by kind, a device that is not there is an error")
    }

    @Test(arguments: ["automatic", "never", "reference", "native,reference", "opencl:0.0,cpu,gpu,native,reference"])
    func fallbackTakesPoliciesAndLists(policy: String) throws {
        let folder = try TemporaryFolder()
        let result = try run(SmallCase.operands, ["--fallback", policy, "--time-limit", "3600"], in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.isEmpty)
    }

    /// Large enough that nobody is done within the limit.
    private func slowCase(_ folder: TemporaryFolder) throws -> String {
        let shape = [1, 8, 512, 64]
        let bytes = [UInt8](repeating: 0, count: shape.reduce(4, *))
        return try folder.write(
            ["Q", "K", "V"].map { TensorFileTensor(name: $0, elementType: .float32, shape: shape, bytes: bytes) },
            to: "slow.safetensors")
    }

    @Test func aDeviceWithoutAnAnswerIsGivenUp() throws {
        let folder = try TemporaryFolder()
        let arguments = ["run", try slowCase(folder), "-o", folder.path("out"), "--time-limit", "0.001"]
        // After the reference comes nobody, and it does not follow itself.
        for policy in ["automatic", "never", "reference"] {
            let alone = try Attend.run(arguments + ["--device", "reference", "--fallback", policy], in: folder)
            #expect(alone.status == 69, "\(alone.errors)")
            #expect(alone.errorLines.count == 1 && alone.errors.contains("no answer within 1 ms"), "\(alone.errors)")
            #expect(alone.output.isEmpty && !folder.has("out"))
        }
        // A driver that has everything to build is far from done, and must not disturb the end of the process.
        let result = try Attend.run(arguments + ["--device", "cpu", "--json"], in: folder)
        if result.status == 69, result.errors.contains("--device") { return }
        #expect(result.status == 0, "\(result.errors)")
        let fallbacks = try #require(result.json?["fallbacks"] as? [[String: String]])
        #expect(fallbacks.first?["reason"]?.contains("its queue is abandoned") == true)
        #expect(result.errorLines.count == fallbacks.count && result.errors.hasPrefix("fallback: "))
        let kind = (result.json?["device"] as? [String: Any])?["kind"] as? String
        #expect(kind == "native" || kind == "reference")
        #expect(folder.has("out"))
        let never = try Attend.run(arguments + ["--device", "cpu", "--fallback", "never"], in: folder)
        #expect(never.status == 69 && never.errorLines.count == 1, "\(never.errors)")
    }
}
