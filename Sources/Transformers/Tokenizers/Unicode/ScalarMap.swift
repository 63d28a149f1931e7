/// A number for each Unicode scalar, 0 unless set: a table of pages of 256, of which only those exist that hold another number.
struct ScalarMap<Value: FixedWidthInteger & Sendable>: Sendable {
    private var pages = [UInt16](repeating: 0, count: 0x1100)
    private var values = [Value](repeating: 0, count: 256)

    subscript(scalar: UInt32) -> Value {
        get {
            guard scalar < 0x110000 else { return 0 }
            return values[Int(pages[Int(scalar >> 8)]) << 8 | Int(scalar & 0xFF)]
        }
        set {
            guard scalar < 0x110000 else { return }
            let page = Int(scalar >> 8)
            if pages[page] == 0 {
                pages[page] = UInt16(values.count >> 8)
                values.append(contentsOf: repeatElement(0, count: 256))
            }
            values[Int(pages[page]) << 8 | Int(scalar & 0xFF)] = newValue
        }
    }
}
