public import AttentionCore
import Locking

/// Keys and values of earlier tokens in blocks of a pool, for sequences of very different lengths: each holds the blocks it needs.
///
/// ```swift
/// let cache = try PagedKeyValueCache(device: device, sequences: 32, keyValueHeads: 8, headDimension: 128)
/// try cache.append(key: k, value: v, to: 3)                    // [1, 8, n, 128]
/// let step = try device.attend(query: q, cache: cache)         // the bits of a KeyValueCache with the same keys
/// ```
///
/// Memory is `[blocks, keyValueHeads, blockSize, dimension]` and doubles when no block is free; truncating frees blocks for other
/// sequences. `flash_wide` and `decode_wide` read it in place; other kernels, and the reference, work on a copy in one piece.
///
/// One cache may be used from many tasks; an append waits for the one before it. A call reads what was there when it began:
/// appending writes behind that, but truncating and then appending overwrites it, so end such calls first.
///
/// Source: Kwon et al. 2023, PagedAttention, arXiv 2309.06180, section 4.1.
public final class PagedKeyValueCache: Sendable {
    /// Keys of a block.
    public let blockSize: Int
    private let format: CacheFormat
    private let state: Guarded<State>

    private struct State {
        var memory: CacheFormat.Memory
        var lengths: [Int]
        /// The blocks of each sequence, in the order of its keys.
        var rows: [[Int]]
        /// Blocks of nobody, the next to be taken last.
        var free: [Int]
        var blocks: Int { memory.key.shape[0] }
    }

    /// An empty cache.
    ///
    /// - Parameters:
    ///   - device: Who reads it.
    ///   - sequences: How many sequences; each call has one query batch entry for each.
    ///   - keyValueHeads: Heads of keys and values; the query's are a multiple.
    ///   - headDimension: Columns of a key.
    ///   - valueDimension: Columns of a value; `nil` is `headDimension`.
    ///   - elementType: Storage of keys, and the type of the queries.
    ///   - valueType: Storage of values; `nil` is `elementType`.
    ///   - blockSize: Keys of a block, a power of two. Small ones waste less, large ones are read faster.
    ///   - blocks: Blocks of the pool, before it grows.
    /// - Throws: `AttentionError`: `invalid` for sizes below 1, a block size that is no power of two, or types that are no
    ///   floating-point ones; `outOfMemory`.
    public init(
        device: Device, sequences: Int, keyValueHeads: Int, headDimension: Int, valueDimension: Int? = nil,
        elementType: ElementType = .float32, valueType: ElementType? = nil, blockSize: Int = 32, blocks: Int = 64
    ) throws(AttentionError) {
        format = try CacheFormat(
            device: device, sequences: sequences, keyValueHeads: keyValueHeads, headDimension: headDimension,
            valueDimension: valueDimension, elementType: elementType, valueType: valueType,
            others: [("blockSize", blockSize), ("blocks", blocks)])
        guard blockSize & (blockSize - 1) == 0 else {
            throw .invalid("blockSize", .value, expected: "a power of two", found: "\(blockSize)")
        }
        self.blockSize = blockSize
        state = Guarded(
            State(
                memory: try format.makeMemory(blocks, rows: blockSize), lengths: Array(repeating: 0, count: sequences),
                rows: Array(repeating: [], count: sequences), free: (0..<blocks).reversed()))
    }

    /// Keys of each sequence.
    public var lengths: [Int] { state.withLock { $0.lengths } }

    /// Blocks of the pool, and those of them that no sequence holds.
    public var blocks: (all: Int, free: Int) { state.withLock { ($0.blocks, $0.free.count) } }

    /// Appends rows to every sequence: `[sequences, keyValueHeads, n, dimension]`, any strides, n ≥ 0.
    ///
    /// - Throws: `AttentionError`: `invalid` before anything is changed; `outOfMemory` if the pool cannot grow.
    public func append(key: Tensor, value: Tensor) throws(AttentionError) {
        try append(key, value, to: 0..<sequences)
    }

    /// Appends rows to one sequence: `[1, keyValueHeads, n, dimension]`.
    public func append(key: Tensor, value: Tensor, to sequence: Int) throws(AttentionError) {
        try format.check(sequence)
        try append(key, value, to: sequence..<sequence + 1)
    }

    /// Forgets the keys of a sequence from `length` on, and frees the blocks that held nothing else.
    ///
    /// - Throws: `AttentionError.invalid` unless `length` is within what is there.
    public func truncate(sequence: Int, to length: Int) throws(AttentionError) {
        try format.check(sequence)
        try state.change { (state) throws(AttentionError) in
            let found = state.lengths[sequence]
            guard (0...found).contains(length) else {
                throw .invalid("length", .bounds, expected: "0…\(found)", found: "\(length)")
            }
            let kept = self.blocks(length)
            state.free += state.rows[sequence][kept...].reversed()
            state.rows[sequence].removeLast(state.rows[sequence].count - kept)
            state.lengths[sequence] = length
        }
    }

    /// Forgets everything and keeps the memory.
    public func removeAll() {
        state.withLock { state in
            state.free = (0..<state.blocks).reversed()
            state.rows = Array(repeating: [], count: sequences)
            state.lengths = Array(repeating: 0, count: sequences)
        }
    }
}

// MARK: - Changing it

extension PagedKeyValueCache {
    /// Blocks that `keys` keys fill or begin.
    private func blocks(_ keys: Int) -> Int { keys / blockSize + (keys % blockSize > 0 ? 1 : 0) }

    private func append(_ key: Tensor, _ value: Tensor, to range: Range<Int>) throws(AttentionError) {
        let (source, rows) = try format.checked(key, value, sequences: range.count)
        try state.change { (state) throws(AttentionError) in
            var missing = 0
            for sequence in range {
                missing += self.blocks(try state.lengths[sequence].adding(rows: rows)) - state.rows[sequence].count
            }
            if missing > state.free.count { try self.grow(&state, by: missing - state.free.count) }
            for (entry, sequence) in range.enumerated() {
                var done = 0
                while done < rows {
                    let at = state.lengths[sequence] % self.blockSize
                    if at == 0 { state.rows[sequence].append(state.free.removeLast()) }
                    let count = min(rows - done, self.blockSize - at)
                    guard let block = state.rows[sequence].last else { break }
                    try source.copy(entry, done..<done + count, to: state.memory, block, at: at)
                    state.lengths[sequence] += count
                    done += count
                }
            }
        }
    }

    private func grow(_ state: inout State, by missing: Int) throws(AttentionError) {
        let (before, after) = (state.blocks, state.blocks + max(missing, state.blocks))
        let memory = try format.makeMemory(after, rows: blockSize)
        for block in Set(0..<before).subtracting(state.free) {
            try state.memory.copy(block, 0..<blockSize, to: memory, block, at: 0)
        }
        state.memory = memory
        state.free = (before..<after).reversed() + state.free
    }
}

extension PagedKeyValueCache: AttentionCache {
    public var device: Device { format.device }
    public var sequences: Int { format.sequences }

    /// Rows of the table grow in powers of two, so that plans serve many steps.
    public func inputs(for query: Tensor, mask: AttentionMask) -> AttentionInputs {
        let state = self.state.withLock { $0 }
        var inputs = AttentionInputs(query: query, key: state.memory.key, value: state.memory.value, mask: mask)
        inputs.keyLengths = state.lengths
        let longest = state.rows.reduce(1) { max($0, $1.count) }
        var columns = 1
        while columns < longest { columns *= 2 }
        inputs.blockTable = BlockTable(state.rows, columns: columns)
        return inputs
    }
}
