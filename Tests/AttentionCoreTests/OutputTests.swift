import Testing

@testable import AttentionCore

/// Tensors that a caller gives to be written are checked before anything is.
@Suite struct OutputTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let operand: String
        let kind: InvalidOperand.Kind
        let change: @Sendable (inout AttentionOutputs, AttentionInputs) throws -> Void

        init(
            _ name: String, _ operand: String, _ kind: InvalidOperand.Kind,
            _ change: @escaping @Sendable (inout AttentionOutputs, AttentionInputs) throws -> Void
        ) {
            (self.name, self.operand, self.kind, self.change) = (name, operand, kind, change)
        }

        var testDescription: String { name }
    }

    static func zeros(_ shape: [Int], _ type: ElementType = .float32) throws -> Tensor {
        try BadCallTests.zeros(shape, type)
    }

    static let rows: [Row] = [
        Row("output of another shape", "output", .shape) { outputs, _ in outputs.output = try zeros([2, 4, 3, 8]) },
        Row("output of rank 3", "output", .shape) { outputs, _ in outputs.output = try zeros([2, 3, 24]) },
        Row("output of another type", "output", .elementType) { outputs, _ in
            outputs.output = try zeros([2, 4, 3, 6], .float16)
        },
        Row("output of stride 0", "output", .overlap) { outputs, _ in
            outputs.output = try zeros([6]).viewed(shape: [2, 4, 3, 6], strides: [0, 0, 0, 1])
        },
        Row("output rows that overlap", "output", .overlap) { outputs, _ in
            outputs.output = try zeros([200]).viewed(shape: [2, 4, 3, 6], strides: [72, 18, 5, 1])
        },
        Row("output in the query", "output", .overlap) { outputs, inputs in
            outputs.output = try inputs.query.viewed(shape: [2, 4, 3, 6], strides: [96, 24, 8, 1])
        },
        Row("logSumExp in the key", "logSumExp", .overlap) { outputs, inputs in
            outputs.logSumExp = try inputs.key.viewed(shape: [2, 4, 3], strides: [12, 3, 1])
        },
        Row("logSumExp in the output", "logSumExp", .overlap) { outputs, _ in
            outputs.logSumExp = try outputs.output.viewed(shape: [2, 4, 3], strides: [12, 3, 1], offset: 20)
        },
        Row("no logSumExp", "logSumExp", .combination) { outputs, _ in outputs.logSumExp = nil },
        Row("logSumExp of f16", "logSumExp", .elementType) { outputs, _ in
            outputs.logSumExp = try zeros([2, 4, 3], .float16)
        },
        Row("logSumExp of another shape", "logSumExp", .shape) { outputs, _ in
            outputs.logSumExp = try zeros([2, 4, 3, 1])
        },
        Row("scores not asked for", "scores", .combination) { outputs, _ in outputs.scores = try zeros([2, 4, 3, 5]) },
        Row("present without past", "presentKey", .combination) { outputs, _ in
            outputs.presentKey = try zeros([2, 2, 5, 8])
        },
        Row("present value without past", "presentValue", .combination) { outputs, _ in
            outputs.presentValue = try zeros([2, 2, 5, 6])
        },
    ]

    @Test(arguments: rows)
    func isRefused(_ row: Row) throws {
        let call = try BadCallTests.rightCall()
        let problem = try AttentionProblem(call.inputs, call.options)
        var outputs = try problem.makeOutputs(for: call.inputs) { n throws(AttentionError) in
            try HostStorage(byteCount: n)
        }
        try problem.check(outputs, for: call.inputs)
        try row.change(&outputs, call.inputs)
        do throws(AttentionError) {
            try problem.check(outputs, for: call.inputs)
            Issue.record("\(row.name): nothing was thrown")
        } catch {
            guard case .invalid(let invalid) = error else {
                Issue.record("\(row.name): \(error)")
                return
            }
            #expect(invalid.operand == row.operand && invalid.kind == row.kind, "\(row.name): \(error)")
        }
    }

    @Test func outputsLieAsTheQueryDoes() throws {
        let query = try Self.zeros([2, 3, 4, 8]).permuted([0, 2, 1, 3])
        let call = try BadCallTests.rightCall()
        var inputs = call.inputs
        inputs.query = query
        let outputs = try AttentionProblem(inputs).makeOutputs(for: inputs) { n throws(AttentionError) in
            try HostStorage(byteCount: n)
        }
        #expect(outputs.output.shape == [2, 4, 3, 6] && outputs.output.strides == [72, 6, 24, 1])
        #expect(outputs.logSumExp == nil && outputs.scores == nil && outputs.presentKey == nil)
    }

    /// Two views of one storage that do not meet are apart.
    @Test func neighboursInOneStorageAreTaken() throws {
        let call = try BadCallTests.rightCall()
        let problem = try AttentionProblem(call.inputs)
        let memory = try Self.zeros([2 * 4 * 3 * 14])
        var inputs = call.inputs
        inputs.query = try memory.viewed(shape: [2, 4, 3, 8], strides: [96, 24, 8, 1])
        let output = try memory.viewed(shape: [2, 4, 3, 6], strides: [72, 18, 6, 1], offset: 192)
        try problem.check(AttentionOutputs(output: output), for: inputs)
    }
}
