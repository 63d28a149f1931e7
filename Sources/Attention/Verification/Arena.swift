import AttentionCore

/// One piece of memory that a call touches, with what it held before: tells afterwards whether anything else was written.
package struct Arena: Sendable {
    /// For messages: `query`, `output`.
    let name: String
    let storage: any TensorStorage
    /// The contents before the call.
    var before: [UInt8]
    /// The bytes that a call may change; `nil` for none.
    var elements: [Bool]?

    /// Memory of an operand: all of it has to stay as it is.
    init(readOnly name: String, _ storage: any TensorStorage) throws(AttentionError) {
        self.name = name
        self.storage = storage
        before = try Self.contents(storage)
    }

    /// Memory for an output of `layout`: its elements hold NaN, all else a pattern that nothing computes by chance.
    init(
        output name: String, layout: TensorLayout, _ type: ElementType, bytes count: Int,
        make: (Int) throws(AttentionError) -> any TensorStorage
    ) throws(AttentionError) {
        self.name = name
        let size = type.byteCount
        var before = (0..<count).map { UInt8(truncatingIfNeeded: 0xA5 ^ ($0 &* 29)) }
        var elements = [Bool](repeating: false, count: count)
        layout.forEachIndex { index in
            for byte in index * size..<index * size + size {
                before[byte] = 0xFF
                elements[byte] = true
            }
        }
        storage = try make(count)
        try Self.fill(storage, before)
        self.before = before
        self.elements = elements
    }

    /// The same bytes in memory of a backend's.
    func moved(to backend: any Backend) throws(AttentionError) -> Arena {
        var copy = self
        let storage = try backend.makeStorage(byteCount: before.count)
        try Self.fill(storage, before)
        copy = Arena(name: name, storage: storage, before: before, elements: elements)
        return copy
    }

    private init(name: String, storage: any TensorStorage, before: [UInt8], elements: [Bool]?) {
        self.name = name
        self.storage = storage
        self.before = before
        self.elements = elements
    }

    /// Where a byte changed that had to stay, in words; `nil` if none did.
    func damage() throws(AttentionError) -> String? {
        let after = try Self.contents(storage)
        if elements == nil, after == before { return nil }
        var first: Int?
        var count = 0
        for index in before.indices where after[index] != before[index] && elements?[index] != true {
            first = first ?? index
            count += 1
        }
        return first.map { "\(name): \(count) bytes written out of bounds or changed, the first at \($0)" }
    }

    /// True if not one byte was written.
    func isUntouched() throws(AttentionError) -> Bool { try Self.contents(storage) == before }

    static func contents(_ storage: any TensorStorage) throws(AttentionError) -> [UInt8] {
        if let bytes = storage.hostBytes { return Array(bytes) }
        let count = storage.byteCount
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        defer { buffer.deallocate() }
        try storage.download(from: 0, into: buffer)
        return Array(buffer)
    }

    static func fill(_ storage: any TensorStorage, _ bytes: [UInt8]) throws(AttentionError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        try storage.upload(UnsafeRawBufferPointer(buffer), at: 0)
    }
}
