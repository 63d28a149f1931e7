/// Where the keys and values of each batch entry lie when they are kept in blocks: a page table.
///
/// `key` and `value` of the call are pools then, `[blocks, keyValueHeads, blockSize, dimension]`. Key `j` of batch entry `b` is row
/// `j mod blockSize` of block `rows[b][j / blockSize]`. Entries may share blocks.
///
/// Source: Kwon et al. 2023, PagedAttention, arXiv 2309.06180, section 4.1.
public struct BlockTable: Hashable, Sendable {
    /// The blocks of each batch entry, in the order of its keys.
    public let rows: [[Int]]
    /// Blocks of the longest entry that the call is planned for.
    public let columns: Int

    /// - Parameter columns: 0 is the longest row; more lets plans serve rows that grow.
    public init(_ rows: [[Int]], columns: Int = 0) {
        self.rows = rows
        self.columns = rows.reduce(columns) { max($0, $1.count) }
    }

    /// The keys of each entry that have a place, and of the longest one that is planned for.
    func checked(
        batch: Int, blocks: Int, blockSize: Int, _ inputs: AttentionInputs
    ) throws(AttentionError) -> (capacities: [Int], longest: Int) {
        let name = "blockTable"
        guard blockSize > 0, blockSize & (blockSize - 1) == 0 else {
            throw .invalid("key", .shape, expected: "a power of two as the rows of a block", found: "\(blockSize)")
        }
        guard rows.count == batch else {
            throw .invalid(name, .count, expected: "a row for each of \(batch) batch entries", found: "\(rows.count)")
        }
        guard inputs.keyLengths != nil else {
            throw .invalid("keyLengths", .combination, expected: "some, as there is a \(name)", found: "none")
        }
        guard inputs.pastKey == nil, inputs.cumulativeQueryOffsets == nil, inputs.cumulativeKeyOffsets == nil else {
            throw .invalid(
                name, .combination, expected: "none together with past keys or packed sequences", found: "one")
        }
        let limit = min(blocks, Int(Int32.max))
        for (entry, row) in rows.enumerated() {
            guard let bad = row.first(where: { !(0..<limit).contains($0) }) else { continue }
            throw .invalid(name, .bounds, expected: "blocks below \(limit)", found: "\(bad) for batch entry \(entry)")
        }
        let (longest, overflow) = columns.multipliedReportingOverflow(by: blockSize)
        guard !overflow else {
            throw .invalid(name, .overflow, expected: "a key length within 64 bits", found: "\(columns) · \(blockSize)")
        }
        return (rows.map { $0.count * blockSize }, longest)
    }
}

extension AttentionInputs {
    /// The same call with the keys and values of each batch entry in one piece, for what cannot read blocks. Zeros fill it up.
    ///
    /// - Throws: ``AttentionError/outOfMemory(bytes:device:)``, or what a device throws when its memory is downloaded.
    public static func withoutBlocks(
        _ problem: AttentionProblem, _ inputs: AttentionInputs
    ) throws(AttentionError) -> (AttentionProblem, AttentionInputs) {
        guard let table = inputs.blockTable else { return (problem, inputs) }
        let shape = problem.shape
        func gathered(_ pool: Tensor, _ view: HeadView, _ columns: Int) throws(AttentionError) -> Tensor {
            let host = try pool.onHost()
            // Host memory may begin elsewhere than the pool did.
            let shift = host.layout.offset - pool.layout.offset
            let rows = problem.blockSize
            let target = try Tensor(
                zeros: [shape.batch, shape.keyValueHeads, shape.keyLength, columns], elementType: pool.elementType)
            for (entry, blocks) in table.rows.enumerated() {
                for (index, block) in blocks.enumerated() {
                    let source = try host.viewed(
                        shape: [1, shape.keyValueHeads, rows, columns],
                        strides: [0, view.head, view.row, view.column],
                        offset: view.offset + shift + block * view.batch)
                    let place = index * rows..<(index + 1) * rows
                    try target.sliced(axis: 0, entry..<entry + 1).sliced(axis: 2, place).writeBytes(of: source)
                }
            }
            return target
        }
        var inputs = inputs
        inputs.blockTable = nil
        inputs.key = try gathered(inputs.key, problem.key, shape.headDimension)
        inputs.value = try gathered(inputs.value, problem.value, shape.valueDimension)
        return (problem.replacingKeys(inputs.key, inputs.value), inputs)
    }
}
