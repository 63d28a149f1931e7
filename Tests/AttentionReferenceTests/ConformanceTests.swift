import AttentionCore
import AttentionReference
import Foundation
import TensorFiles
import Testing

/// The reference gives what the ONNX case files expect.
@Suite struct ConformanceTests {
    /// The copy in this package, and the folder beside it where a checkout has one.
    static var folders: [URL] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let package = tests.deletingLastPathComponent()
        return [
            tests.appendingPathComponent("Conformance/onnx-attention"),
            package.appendingPathComponent("../shared/conformance/onnx-attention").standardizedFileURL,
        ]
    }

    @Test func filesHoldWhatTheReferenceSays() throws {
        var names: Set<String> = []
        var largest = 0.0
        for folder in Self.folders {
            let files =
                (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
            for file in files where file.pathExtension == "safetensors" && names.insert(file.lastPathComponent).inserted
            {
                largest = max(largest, try check(file))
            }
        }
        if names.isEmpty { print("SKIPPED: no conformance files in Tests/Conformance or ../shared/conformance") }
        print("conformance: \(names.count) files; the largest error is \(largest) of what their tolerances allow")
    }

    /// The largest error of a file as a share of its tolerance.
    private func check(_ file: URL) throws -> Double {
        let name = file.lastPathComponent
        let contents = try CaseFile(file)
        let (problem, inputs) = try contents.problem()
        let result = try Reference.evaluate(problem, inputs)
        var worst = 0.0
        func compare(_ tensor: String, _ found: [Double], _ expected: Tensor) throws {
            let values = try expected.doubles()
            #expect(values.count == found.count, "\(name) \(tensor)")
            // Stored values were rounded on the way, by as much as the largest of their row is.
            let columns = max(expected.shape.last ?? 1, 1)
            for (index, (actual, due)) in zip(found, values).enumerated() {
                let row = values[index / columns * columns..<min(index / columns * columns + columns, values.count)]
                let size = row.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
                let found = expected.elementType.rounded(actual)
                if due.isNaN || due.isInfinite || !found.isFinite {
                    #expect(found.isNaN == due.isNaN && (due.isNaN || found == due), "\(name) \(tensor) [\(index)]")
                    continue
                }
                let least =
                    expected.elementType == .bfloat16 ? 0x1p-7 : expected.elementType == .float16 ? 0x1p-10 : 1e-5
                let ratio = abs(found - due) / (max(contents.tolerance, least) * size + max(contents.least, 1e-7))
                worst = max(worst, ratio)
                #expect(ratio <= 1, "\(name) \(tensor) [\(index)] is \(found), the file has \(due)")
            }
        }
        if let expected = contents.tensors["Y"] {
            try compare("Y", result.output, try expected.splitIntoHeads(problem.shape.queryHeads))
        }
        if let expected = contents.tensors["qk_matmul_output"], let scores = result.scores {
            try compare("qk_matmul_output", scores, expected)
        }
        if let expected = contents.tensors["log_sum_exp"] { try compare("log_sum_exp", result.logSumExp, expected) }
        return worst
    }
}
