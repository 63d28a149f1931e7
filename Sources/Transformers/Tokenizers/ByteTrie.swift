/// Texts with a number each, found by their UTF-8 one byte at a time, so that the longest one at a place is found in one walk.
///
/// Children are kept in one hash table under (node, byte), which takes 16 bytes a node and grows with what is inserted.
struct ByteTrie: Sendable {
    static let root: UInt32 = 0

    /// Key in the upper half, child in the lower; 0 for a free slot, as no child is the root.
    private var slots = [UInt64](repeating: 0, count: 1024)
    private var values: [Int32] = [-1]
    private var shift: UInt64 = 64 - 10

    /// The most bytes that all texts together may have: a node's number and a byte share 32 bits.
    static let capacity = 1 << 24

    /// Adds a text, or gives it another number. False if there is no more room.
    @discardableResult
    mutating func insert(_ text: String, value: Int32) -> Bool {
        var node = Self.root
        for byte in text.utf8 {
            if let next = step(node, byte) {
                node = next
            } else {
                guard values.count < Self.capacity else { return false }
                let child = UInt32(values.count)
                values.append(-1)
                if values.count * 2 > slots.count { grow() }
                place(UInt64(node << 8 | UInt32(byte)) << 32 | UInt64(child))
                node = child
            }
        }
        values[Int(node)] = value
        return true
    }

    /// The node that `byte` leads to.
    @inline(__always)
    func step(_ node: UInt32, _ byte: UInt8) -> UInt32? {
        let key = node << 8 | UInt32(byte)
        var index = slot(key)
        while true {
            let entry = slots[index]
            if entry == 0 { return nil }
            if UInt32(truncatingIfNeeded: entry >> 32) == key { return UInt32(truncatingIfNeeded: entry) }
            index = (index + 1) & (slots.count - 1)
        }
    }

    /// The node at which a text ends; nil if no inserted text begins with it.
    func node(of text: String) -> UInt32? {
        var node = Self.root
        for byte in text.utf8 {
            guard let next = step(node, byte) else { return nil }
            node = next
        }
        return node
    }

    /// The number of the text that ends at a node.
    @inline(__always)
    func value(_ node: UInt32) -> Int? {
        let value = values[Int(node)]
        return value < 0 ? nil : Int(value)
    }

    /// The longest text that stands in `bytes` from `start` on, below `node`: its number and its end.
    @inline(__always)
    func longestMatch(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int, below node: UInt32 = root
    ) -> (value: Int, end: Int)? {
        var found: (value: Int, end: Int)?
        var node = node
        var position = start
        while position < end, let next = step(node, bytes[position]) {
            node = next
            position += 1
            let value = values[Int(node)]
            if value >= 0 { found = (Int(value), position) }
        }
        return found
    }

    @inline(__always)
    private func slot(_ key: UInt32) -> Int {
        Int(truncatingIfNeeded: (UInt64(key) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }

    private mutating func place(_ entry: UInt64) {
        var index = slot(UInt32(truncatingIfNeeded: entry >> 32))
        while slots[index] != 0 { index = (index + 1) & (slots.count - 1) }
        slots[index] = entry
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: 0, count: old.count * 2)
        shift -= 1
        for entry in old where entry != 0 { place(entry) }
    }
}
