public import AttentionCore
import Locking

/// Keys and values of earlier tokens, kept where a device reads them, for several sequences of different lengths.
///
/// ```swift
/// let cache = try KeyValueCache(device: device, keyValueHeads: 8, headDimension: 128)
/// for token in tokens {
///     try cache.append(key: k, value: v)                       // [1, 8, 1, 128]
///     let step = try device.attend(query: q, cache: cache)     // reads the memory itself
/// }
/// ```
///
/// Memory is `[sequences, keyValueHeads, capacity, dimension]`, the rows of a head one after the other. It doubles when it is
/// full, so that appending costs one copy of what is appended, on average. CPU devices use it in place.
///
/// One cache may be used from many tasks; an append waits for the one before it. A call reads what was there when it began:
/// appending writes behind that, but truncating and then appending overwrites it, so end such calls first.
public final class KeyValueCache: Sendable {
    private let format: CacheFormat
    private let state: Guarded<State>

    fileprivate struct State {
        var memory: CacheFormat.Memory
        var lengths: [Int]
        /// Memory of the same shape that a reordering left behind.
        var spare: CacheFormat.Memory?
        var capacity: Int { memory.key.shape[2] }
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
    ///   - capacity: Keys that fit each sequence before the memory grows.
    ///   - staysOnDevice: Whether the memory is the device's own and the device copies rows to it, as layers want it whose keys
    ///     are computed there; otherwise CPU devices use host memory in place, and rows are copied by the host.
    /// - Throws: `AttentionError`: `invalid` for sizes below 1 or types that are no floating-point ones, `outOfMemory`.
    public init(
        device: Device, sequences: Int = 1, keyValueHeads: Int, headDimension: Int, valueDimension: Int? = nil,
        elementType: ElementType = .float32, valueType: ElementType? = nil, capacity: Int = 256,
        staysOnDevice: Bool = false
    ) throws(AttentionError) {
        var format = try CacheFormat(
            device: device, sequences: sequences, keyValueHeads: keyValueHeads, headDimension: headDimension,
            valueDimension: valueDimension, elementType: elementType, valueType: valueType,
            others: [("capacity", capacity)])
        format.staysOnDevice = staysOnDevice
        self.format = format
        state = Guarded(
            State(
                memory: try format.makeMemory(sequences, rows: capacity),
                lengths: Array(repeating: 0, count: sequences)))
    }

    /// Keys of each sequence.
    public var lengths: [Int] { state.withLock { $0.lengths } }

    /// Keys that fit each sequence without growing.
    public var capacity: Int { state.withLock { $0.capacity } }

    /// Views `[sequences, keyValueHeads, capacity, dimension]` of the memory itself, and how many keys of each sequence are
    /// real. They stay valid when the cache grows; they do not follow it then.
    public func contents() -> (key: Tensor, value: Tensor, lengths: [Int]) {
        state.withLock { ($0.memory.key, $0.memory.value, $0.lengths) }
    }

    /// Appends rows to every sequence.
    ///
    /// - Parameters:
    ///   - key: `[sequences, keyValueHeads, n, headDimension]`, any strides, n ≥ 0.
    ///   - value: `[sequences, keyValueHeads, n, valueDimension]`.
    /// - Throws: `AttentionError`: `invalid` before anything is changed; `outOfMemory` if it cannot grow.
    public func append(key: Tensor, value: Tensor) throws(AttentionError) {
        try append(key, value, to: 0..<sequences)
    }

    /// Appends rows to one sequence: `[1, keyValueHeads, n, dimension]`.
    public func append(key: Tensor, value: Tensor, to sequence: Int) throws(AttentionError) {
        try format.check(sequence)
        try append(key, value, to: sequence..<sequence + 1)
    }

    /// Forgets the keys of a sequence from `length` on.
    ///
    /// - Throws: `AttentionError.invalid` unless `length` is within what is there.
    public func truncate(sequence: Int, to length: Int) throws(AttentionError) {
        try format.check(sequence)
        let found = state.withLock { state -> Int in
            let found = state.lengths[sequence]
            if (0...found).contains(length) { state.lengths[sequence] = length }
            return found
        }
        guard (0...found).contains(length) else {
            throw .invalid("length", .bounds, expected: "0…\(found)", found: "\(length)")
        }
    }

    /// Forgets everything and keeps the memory.
    public func removeAll() {
        state.withLock { $0.lengths = Array(repeating: 0, count: sequences) }
    }

    /// Makes room for `capacity` keys of each sequence. Less than there is changes nothing.
    public func reserve(_ capacity: Int) throws(AttentionError) {
        try state.change { (state) throws(AttentionError) in
            if capacity > state.capacity { try self.grow(&state, to: capacity) }
        }
    }
}

// MARK: - What was there

extension KeyValueCache {
    /// The contents at one moment, to go back to after a step that failed.
    package struct Snapshot: Sendable {
        fileprivate let state: State
    }

    /// Costs nothing: appending writes behind what is there, and growing and reordering write to other memory.
    package var snapshot: Snapshot { Snapshot(state: state.withLock { $0 }) }

    /// Goes back to what was there, unless two reorderings, or a truncation and an append, have come in between: those write over it.
    package func restore(_ snapshot: Snapshot) { state.withLock { $0 = snapshot.state } }
}

// MARK: - Changing it

extension KeyValueCache {
    private func append(_ key: Tensor, _ value: Tensor, to range: Range<Int>) throws(AttentionError) {
        let (source, rows) = try format.checked(key, value, sequences: range.count)
        try state.change { (state) throws(AttentionError) in
            let needed = try range.reduce(0) { max($0, state.lengths[$1]) }.adding(rows: rows)
            if needed > state.capacity { try self.grow(&state, to: max(needed, 2 * state.capacity)) }
            let first = state.lengths[range.lowerBound]
            if self.format.staysOnDevice, range.allSatisfy({ state.lengths[$0] == first }) {
                // One step for all sequences, which decode together.
                let target = try state.memory.sliced(axis: 0, range).sliced(axis: 2, first..<first + rows)
                try self.format.copy(source, to: target)
                for sequence in range { state.lengths[sequence] += rows }
                return
            }
            for (entry, sequence) in range.enumerated() {
                try self.copy(
                    source, entry, 0..<rows, to: state.memory, sequence, at: state.lengths[sequence])
                state.lengths[sequence] += rows
            }
        }
    }

    private func grow(_ state: inout State, to capacity: Int) throws(AttentionError) {
        let memory = try format.makeMemory(sequences, rows: capacity)
        for sequence in 0..<sequences {
            try copy(state.memory, sequence, 0..<state.lengths[sequence], to: memory, sequence, at: 0)
        }
        state.memory = memory
        state.spare = nil
    }

    private func copy(
        _ source: CacheFormat.Memory, _ entry: Int, _ rows: Range<Int>, to target: CacheFormat.Memory, _ place: Int,
        at row: Int
    ) throws(AttentionError) {
        guard format.staysOnDevice else { return try source.copy(entry, rows, to: target, place, at: row) }
        try format.copy(
            source.sliced(axis: 0, entry..<entry + 1).sliced(axis: 2, rows),
            to: target.sliced(axis: 0, place..<place + 1).sliced(axis: 2, row..<row + rows.count))
    }
}

// MARK: - Other sequences

extension KeyValueCache {
    /// Puts the sequences in another order, some of them more than once: sequence `i` becomes what sequence `entries[i]` was.
    ///
    /// What beam search needs when hypotheses take each other's places. Cost: a copy of the keys and values, none if each stays
    /// in its place. Calls that still read the cache must have ended before the second reordering after them.
    ///
    /// - Throws: `AttentionError`: `invalid` unless there is one entry for each sequence; `outOfMemory`.
    public func reorder(_ entries: [Int]) throws(AttentionError) {
        try format.check(entries, count: sequences)
        if entries == Array(0..<sequences) { return }
        try state.change { (state) throws(AttentionError) in
            let target: CacheFormat.Memory
            if let spare = state.spare {
                target = spare
            } else {
                target = try self.format.makeMemory(self.sequences, rows: state.capacity)
            }
            try self.copy(entries, of: state, to: target)
            state.spare = state.memory
            state.memory = target
            let lengths = state.lengths
            state.lengths = entries.map { lengths[$0] }
        }
    }

    /// A cache of its own with some of the sequences, each as often as `entries` names it. Cost: a copy of them.
    ///
    /// - Throws: `AttentionError`: `invalid` for an entry that is no sequence, or none at all; `outOfMemory`.
    public func selecting(_ entries: [Int]) throws(AttentionError) -> KeyValueCache {
        try format.check(entries, count: nil)
        let state = self.state.withLock { $0 }
        let cache = try KeyValueCache(
            device: device, sequences: entries.count, keyValueHeads: format.keyValueHeads,
            headDimension: format.headDimension, valueDimension: format.valueDimension,
            elementType: format.elementType, valueType: format.valueType, capacity: state.capacity,
            staysOnDevice: format.staysOnDevice)
        try cache.state.change { (made) throws(AttentionError) in
            try self.copy(entries, of: state, to: made.memory)
            made.lengths = entries.map { state.lengths[$0] }
        }
        return cache
    }

    private func copy(_ entries: [Int], of state: State, to target: CacheFormat.Memory) throws(AttentionError) {
        if format.staysOnDevice {
            // Rows behind a shorter sequence's last are copied along: they are zeros or forgotten.
            let rows = 0..<entries.reduce(0) { max($0, state.lengths[$1]) }
            return try format.copy(
                state.memory.sliced(axis: 2, rows), to: target.sliced(axis: 2, rows),
                entries: entries.map { Int32(clamping: $0) })
        }
        for (place, entry) in entries.enumerated() {
            try copy(state.memory, entry, 0..<state.lengths[entry], to: target, place, at: 0)
        }
    }
}

extension KeyValueCache: AttentionCache {
    public var device: Device { format.device }
    public var sequences: Int { format.sequences }

    public func inputs(for query: Tensor, mask: AttentionMask) -> AttentionInputs {
        let contents = self.contents()
        var inputs = AttentionInputs(query: query, key: contents.key, value: contents.value, mask: mask)
        inputs.keyLengths = contents.lengths
        return inputs
    }
}
