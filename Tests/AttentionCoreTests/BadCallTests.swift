import Testing

@testable import AttentionCore

/// Every call that cannot be right is refused, and the refusal names the operand and the kind of mistake.
@Suite struct BadCallTests {
    /// A call that is right until a row changes it.
    struct Call {
        var inputs: AttentionInputs
        var options = AttentionOptions(logSumExp: true)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let operand: String
        let kind: InvalidOperand.Kind
        let change: @Sendable (inout Call) throws -> Void

        init(
            _ name: String, _ operand: String, _ kind: InvalidOperand.Kind,
            _ change: @escaping @Sendable (inout Call) throws -> Void
        ) {
            (self.name, self.operand, self.kind, self.change) = (name, operand, kind, change)
        }

        var testDescription: String { name }
    }

    static func zeros(_ shape: [Int], _ type: ElementType = .float32) throws -> Tensor {
        try Tensor([Double](repeating: 0, count: shape.reduce(1, *)), shape: shape, elementType: type)
    }

    /// Many elements in little memory: every stride is 0.
    static func vast(_ shape: [Int]) throws -> Tensor {
        try zeros([1]).viewed(shape: shape, strides: shape.map { _ in 0 })
    }

    /// B 2, heads 4 over 2, 3 queries, 5 keys, D 8, Dv 6.
    static func rightCall() throws -> Call {
        Call(
            inputs: AttentionInputs(
                query: try zeros([2, 4, 3, 8]), key: try zeros([2, 2, 5, 8]), value: try zeros([2, 2, 5, 6])))
    }

    static func past(_ call: inout Call) throws {
        call.inputs.pastKey = try zeros([2, 2, 7, 8])
        call.inputs.pastValue = try zeros([2, 2, 7, 6])
    }

    static func packed(_ call: inout Call) throws {
        call.inputs = AttentionInputs(
            query: try zeros([1, 4, 6, 8]), key: try zeros([1, 2, 9, 8]), value: try zeros([1, 2, 9, 6]))
        call.inputs.cumulativeQueryOffsets = [0, 2, 6]
        call.inputs.cumulativeKeyOffsets = [0, 5, 9]
    }

    static func rank3(_ call: inout Call) throws {
        call.inputs = AttentionInputs(
            query: try zeros([2, 3, 32]), key: try zeros([2, 5, 16]), value: try zeros([2, 5, 12]))
        (call.inputs.queryHeads, call.inputs.keyValueHeads) = (4, 2)
    }

    /// Keys and values in a pool of 5 blocks.
    static func blocks(_ call: inout Call, _ rows: [[Int]], rows size: Int, lengths: [Int]? = [4, 3]) throws {
        call.inputs.key = try zeros([5, 2, size, 8])
        call.inputs.value = try zeros([5, 2, size, 6])
        call.inputs.blockTable = BlockTable(rows)
        call.inputs.keyLengths = lengths
    }

    static let rows: [Row] = operands + masks + numbers + cache + packs

    @Test func rightCallsAreTaken() throws {
        let changes: [(inout Call) throws -> Void] = [
            { _ in }, Self.past, Self.packed, Self.rank3,
            { try Self.blocks(&$0, [[4], [2]], rows: 4) },
            { try Self.blocks(&$0, [[0, 3], [1]], rows: 4, lengths: [8, 0]) },
        ]
        for change in changes {
            var call = try Self.rightCall()
            try change(&call)
            _ = try AttentionProblem(call.inputs, call.options)
        }
        #expect(Self.rows.count >= 60)
        print("bad calls: \(Self.rows.count + OutputTests.rows.count) rows")
    }

    @Test(arguments: rows)
    func isRefused(_ row: Row) throws {
        var call = try Self.rightCall()
        try row.change(&call)
        do throws(AttentionError) {
            _ = try AttentionProblem(call.inputs, call.options)
            Issue.record("\(row.name): nothing was thrown")
        } catch {
            guard case .invalid(let invalid) = error else {
                Issue.record("\(row.name): \(error)")
                return
            }
            #expect(invalid.operand == row.operand, "\(row.name): \(error)")
            #expect(invalid.kind == row.kind, "\(row.name): \(error), \(invalid.kind)")
            #expect(!invalid.expected.isEmpty && !invalid.found.isEmpty)
        }
    }
}
