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
/// Memory is `[sequences, keyValueHeads, capacity, dimension]`, the rows of a head one after the other. It doubles when it is full,
/// so that appending costs one copy of what is appended, on average. CPU devices use it in place.
///
/// One cache may be used from many tasks; an append waits for the one before it. A call reads what was there when it began:
/// appending writes behind that, but truncating and then appending overwrites it, so end such calls first.
public final class KeyValueCache: Sendable {
    public let device: Device
    public let sequences: Int
    public let keyValueHeads: Int
    public let headDimension: Int
    public let valueDimension: Int
    public let elementType: ElementType
    public let valueType: ElementType
    private let state: Guarded<State>

    private struct State {
        var key: Tensor
        var value: Tensor
        var lengths: [Int]
        var capacity: Int { key.shape[2] }
    }

    /// An empty cache.
    ///
    /// - Parameters:
    ///   - device: Who reads it.
    ///   - sequences: How many sequences; each call has one query batch entry for each.
    ///   - valueDimension: `nil` is `headDimension`.
    ///   - valueType: `nil` is `elementType`.
    ///   - capacity: Keys that fit each sequence before the memory grows.
    /// - Throws: `AttentionError`: `invalid` for sizes below 1 or types that are no floating-point ones, `outOfMemory`.
    public init(
        device: Device, sequences: Int = 1, keyValueHeads: Int, headDimension: Int, valueDimension: Int? = nil,
        elementType: ElementType = .float32, valueType: ElementType? = nil, capacity: Int = 256
    ) throws(AttentionError) {
        let valueDimension = valueDimension ?? headDimension
        for (name, size) in [
            ("sequences", sequences), ("keyValueHeads", keyValueHeads), ("headDimension", headDimension),
            ("valueDimension", valueDimension), ("capacity", capacity),
        ] where size < 1 {
            throw .invalid(name, .value, expected: "1 or more", found: "\(size)")
        }
        for (name, type) in [("elementType", elementType), ("valueType", valueType ?? elementType)]
        where !type.isFloatingPoint {
            throw .invalid(name, .elementType, expected: "f32, f16, bf16 or f64", found: "\(type)")
        }
        self.device = device
        self.sequences = sequences
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
        self.valueDimension = valueDimension
        self.elementType = elementType
        self.valueType = valueType ?? elementType
        let rows = [sequences, keyValueHeads, capacity]
        state = Guarded(
            State(
                key: try Self.memory(device, rows + [headDimension], elementType),
                value: try Self.memory(device, rows + [valueDimension], valueType ?? elementType),
                lengths: Array(repeating: 0, count: sequences)))
    }

    /// Keys of each sequence.
    public var lengths: [Int] { state.withLock { $0.lengths } }

    /// Keys that fit each sequence without growing.
    public var capacity: Int { state.withLock { $0.capacity } }

    /// Views `[sequences, keyValueHeads, capacity, dimension]` of the memory itself, and how many keys of each sequence are real.
    /// They stay valid when the cache grows; they do not follow it then.
    public func contents() -> (key: Tensor, value: Tensor, lengths: [Int]) {
        state.withLock { ($0.key, $0.value, $0.lengths) }
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
        try check(sequence)
        try append(key, value, to: sequence..<sequence + 1)
    }

    /// Forgets the keys of a sequence from `length` on.
    ///
    /// - Throws: `AttentionError.invalid` unless `length` is within what is there.
    public func truncate(sequence: Int, to length: Int) throws(AttentionError) {
        try check(sequence)
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
        try change { (state) throws(AttentionError) in
            if capacity > state.capacity { try self.grow(&state, to: capacity) }
        }
    }
}

// MARK: - Memory

extension KeyValueCache {
    /// CPU devices share the host's memory, others have their own. Zeros, so that no stranger's bytes stand behind a length.
    private static func memory(_ device: Device, _ shape: [Int], _ type: ElementType) throws(AttentionError) -> Tensor {
        let layout = try TensorLayout(contiguous: shape)
        let bytes = try Tensor.byteCount(layout.count, type, "capacity")
        let isHost = [.cpu, .native, .reference].contains(device.description.kind)
        let storage: any TensorStorage =
            isHost ? try HostStorage(byteCount: bytes) : try device.backend.makeStorage(byteCount: bytes)
        if let memory = storage.hostBytes {
            memory.initializeMemory(as: UInt8.self, repeating: 0)
        } else {
            let zeros = [UInt8](repeating: 0, count: min(bytes, 1 << 20))
            for start in stride(from: 0, to: bytes, by: zeros.count) {
                let count = min(zeros.count, bytes - start)
                try zeros.withUploadable(count) { (part) throws(AttentionError) in try storage.upload(part, at: start) }
            }
        }
        return try Tensor(storage: storage, layout: layout, elementType: type)
    }

    private func check(_ sequence: Int) throws(AttentionError) {
        guard (0..<sequences).contains(sequence) else {
            throw .invalid("sequence", .bounds, expected: "0…\(sequences - 1)", found: "\(sequence)")
        }
    }

    private func append(_ key: Tensor, _ value: Tensor, to range: Range<Int>) throws(AttentionError) {
        let rows = key.rank == 4 ? key.shape[2] : 0
        let expected = [
            ("key", key, [range.count, keyValueHeads, rows, headDimension], elementType),
            ("value", value, [range.count, keyValueHeads, rows, valueDimension], valueType),
        ]
        for (name, tensor, shape, type) in expected {
            try AttentionCall.refusePlaceholder(name, tensor)
            guard tensor.elementType == type else {
                throw .invalid(name, .elementType, expected: "\(type)", found: "\(tensor.elementType)")
            }
            guard tensor.shape == shape else {
                throw .invalid(name, .shape, expected: "\(shape)", found: "\(tensor.shape)")
            }
        }
        let (key, value) = (try key.onHost(), try value.onHost())
        try change { (state) throws(AttentionError) in
            let longest = range.reduce(0) { max($0, state.lengths[$1]) }
            let (needed, overflow) = longest.addingReportingOverflow(rows)
            guard !overflow else {
                throw .invalid("key", .overflow, expected: "a length within 64 bits", found: "\(longest) + \(rows)")
            }
            if needed > state.capacity { try self.grow(&state, to: max(needed, 2 * state.capacity)) }
            for (entry, sequence) in range.enumerated() {
                try Self.copy(key, entry, 0..<rows, to: state.key, sequence, at: state.lengths[sequence])
                try Self.copy(value, entry, 0..<rows, to: state.value, sequence, at: state.lengths[sequence])
            }
            for sequence in range { state.lengths[sequence] += rows }
        }
    }

    private func grow(_ state: inout State, to capacity: Int) throws(AttentionError) {
        let rows = [sequences, keyValueHeads, capacity]
        let key = try Self.memory(device, rows + [headDimension], elementType)
        let value = try Self.memory(device, rows + [valueDimension], valueType)
        for sequence in 0..<sequences {
            try Self.copy(state.key, sequence, 0..<state.lengths[sequence], to: key, sequence, at: 0)
            try Self.copy(state.value, sequence, 0..<state.lengths[sequence], to: value, sequence, at: 0)
        }
        (state.key, state.value) = (key, value)
    }

    /// Copies rows of all heads: one write a head, since the rows of a head lie together.
    private static func copy(
        _ source: Tensor, _ from: Int, _ rows: Range<Int>, to target: Tensor, _ to: Int, at row: Int
    ) throws(AttentionError) {
        guard !rows.isEmpty else { return }
        let part = try source.sliced(axis: 0, from..<from + 1).sliced(axis: 2, rows)
        let place = try target.sliced(axis: 0, to..<to + 1).sliced(axis: 2, row..<row + rows.count)
        for head in 0..<source.shape[1] {
            try place.sliced(axis: 1, head..<head + 1).writeBytes(of: part.sliced(axis: 1, head..<head + 1))
        }
    }

    /// Changes the state under its lock: all of it, or nothing if `body` throws.
    private func change(_ body: (inout State) throws(AttentionError) -> Void) throws(AttentionError) {
        try state.withLock { (state) throws(AttentionError) in
            var changed = state
            try body(&changed)
            state = changed
        }
    }
}

extension [UInt8] {
    fileprivate func withUploadable(
        _ count: Int, _ body: (UnsafeRawBufferPointer) throws(AttentionError) -> Void
    ) throws(AttentionError) {
        var failure: AttentionError?
        withUnsafeBytes { raw in
            do throws(AttentionError) { try body(UnsafeRawBufferPointer(rebasing: raw[..<count])) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
