import AttentionCore
import Locking

/// What the rows of a cache are, and the memory they are kept in.
struct CacheFormat: Sendable {
    let device: Device
    let sequences: Int
    let keyValueHeads: Int
    let headDimension: Int
    let valueDimension: Int
    let elementType: ElementType
    let valueType: ElementType
    /// Whether the memory is the device's own, and rows are copied there by the device.
    var staysOnDevice = false

    /// Keys and values, rows of one head one after the other: `[…, keyValueHeads, rows, dimension]`.
    struct Memory: Sendable {
        var key: Tensor
        var value: Tensor
    }

    /// - Throws: `AttentionError.invalid` for sizes below 1, `others` among them, or types that are no floating-point ones.
    init(
        device: Device, sequences: Int, keyValueHeads: Int, headDimension: Int, valueDimension: Int?,
        elementType: ElementType, valueType: ElementType?, others: [(name: String, size: Int)]
    ) throws(AttentionError) {
        self.device = device
        self.sequences = sequences
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
        self.valueDimension = valueDimension ?? headDimension
        self.elementType = elementType
        self.valueType = valueType ?? elementType
        let sizes = [
            ("sequences", sequences), ("keyValueHeads", keyValueHeads), ("headDimension", headDimension),
            ("valueDimension", self.valueDimension),
        ]
        for (name, size) in sizes + others where size < 1 {
            throw .invalid(name, .value, expected: "1 or more", found: "\(size)")
        }
        for (name, type) in [("elementType", elementType), ("valueType", self.valueType)] where !type.isFloatingPoint {
            throw .invalid(name, .elementType, expected: "f32, f16, bf16 or f64", found: "\(type)")
        }
    }

    /// Zeros for `count` sequences or blocks of `rows` rows, where the device reads them.
    func makeMemory(_ count: Int, rows: Int) throws(AttentionError) -> Memory {
        let lead = [count, keyValueHeads, rows]
        return Memory(
            key: try zeros(lead + [headDimension], elementType), value: try zeros(lead + [valueDimension], valueType))
    }

    /// CPU devices share the host's memory, others have their own. Zeros, so that no stranger's bytes stand behind a length.
    private func zeros(_ shape: [Int], _ type: ElementType) throws(AttentionError) -> Tensor {
        if staysOnDevice {
            let memory = try device.tensor(uninitialized: shape, type)
            try device.perform(.copy(CopyOperation(source: nil, target: memory)))
            return memory
        }
        if [.cpu, .native, .reference].contains(device.description.kind) {
            return try Tensor(zeros: shape, elementType: type)
        }
        let layout = try TensorLayout(contiguous: shape)
        let bytes = try Tensor.byteCount(layout.count, type, "capacity")
        let storage = try device.backend.makeStorage(byteCount: bytes)
        let part = try Tensor(zeros: [min(bytes, 1 << 20)], elementType: .bool)
        if let zeros = part.storage.hostBytes {
            for start in stride(from: 0, to: bytes, by: zeros.count) {
                let count = min(zeros.count, bytes - start)
                try storage.upload(UnsafeRawBufferPointer(rebasing: zeros[..<count]), at: start)
            }
        }
        return try Tensor(storage: storage, layout: layout, elementType: type)
    }

    func check(_ sequence: Int) throws(AttentionError) {
        guard (0..<sequences).contains(sequence) else {
            throw .invalid("sequence", .bounds, expected: "0…\(sequences - 1)", found: "\(sequence)")
        }
    }

    /// Refuses entries that are no sequences, or another count of them.
    func check(_ entries: [Int], count: Int?) throws(AttentionError) {
        guard count.map({ $0 == entries.count }) ?? !entries.isEmpty else {
            throw .invalid(
                "entries", .count, expected: count.map { "\($0), one a sequence" } ?? "1 or more",
                found: "\(entries.count)")
        }
        for entry in entries where !(0..<sequences).contains(entry) {
            throw .invalid("entries", .bounds, expected: "0…\(sequences - 1)", found: "\(entry)")
        }
    }

    /// Copies rows where the device has them.
    func copy(_ source: Memory, to target: Memory, entries: [Int32]? = nil) throws(AttentionError) {
        if target.key.count == 0 && target.value.count == 0 { return }
        try device.perform(.copy(CopyOperation(source: source.key, entries: entries, target: target.key)))
        try device.perform(.copy(CopyOperation(source: source.value, entries: entries, target: target.value)))
    }

    /// Rows to append to `sequences` sequences, in host memory, and how many each gets.
    ///
    /// - Throws: `AttentionError.invalid` unless they are `[sequences, keyValueHeads, n, dimension]` of the cache's types.
    func checked(
        _ key: Tensor, _ value: Tensor, sequences: Int
    ) throws(AttentionError) -> (memory: Memory, rows: Int) {
        let rows = key.rank == 4 ? key.shape[2] : 0
        let lead = [sequences, keyValueHeads, rows]
        let expected = [
            ("key", key, lead + [headDimension], elementType), ("value", value, lead + [valueDimension], valueType),
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
        if staysOnDevice { return (Memory(key: key, value: value), rows) }
        return (Memory(key: try key.onHost(), value: try value.onHost()), rows)
    }
}

extension CacheFormat.Memory {
    func sliced(axis: Int, _ range: Range<Int>) throws(AttentionError) -> CacheFormat.Memory {
        CacheFormat.Memory(key: try key.sliced(axis: axis, range), value: try value.sliced(axis: axis, range))
    }

    /// Copies rows of all heads of an entry (a sequence or block) to those from `row` on of an entry of `target`.
    func copy(
        _ entry: Int, _ rows: Range<Int>, to target: CacheFormat.Memory, _ place: Int, at row: Int
    ) throws(AttentionError) {
        guard !rows.isEmpty else { return }
        for (source, target) in [(key, target.key), (value, target.value)] {
            let from = try source.sliced(axis: 0, entry..<entry + 1).sliced(axis: 2, rows)
            let to = try target.sliced(axis: 0, place..<place + 1).sliced(axis: 2, row..<row + rows.count)
            // One write a head, since the rows of a head lie together.
            for head in 0..<source.shape[1] {
                try to.sliced(axis: 1, head..<head + 1).writeBytes(of: from.sliced(axis: 1, head..<head + 1))
            }
        }
    }
}

extension Guarded {
    /// Changes the value under its lock: all of it, or nothing if `body` throws.
    func change(_ body: (inout Value) throws(AttentionError) -> Void) throws(AttentionError) {
        try withLock { (value) throws(AttentionError) in
            var changed = value
            try body(&changed)
            value = changed
        }
    }
}

extension Int {
    /// A sequence's length with `rows` rows more.
    func adding(rows: Int) throws(AttentionError) -> Int {
        let (sum, overflow) = addingReportingOverflow(rows)
        guard !overflow else {
            throw .invalid("key", .overflow, expected: "a length within 64 bits", found: "\(self) + \(rows)")
        }
        return sum
    }
}
