/// Rows of text in columns as wide as their widest cell.
struct Table {
    private var rows: [[String]] = []
    /// Columns that are numbers stand to the right.
    private let rightAligned: Set<Int>

    init(_ header: [String], rightAligned: Set<Int> = []) {
        rows = [header]
        self.rightAligned = rightAligned
    }

    mutating func add(_ cells: [String]) { rows.append(cells.map(Console.oneLine)) }

    var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                line += rightAligned.contains(column) ? gap + cell : cell + gap
                if column + 1 < row.count { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    func printed() { lines.forEach { Console.line($0) } }
}

/// Numbers as people read them.
enum Pretty {
    /// `value` with `places` digits after the point.
    static func fixed(_ value: Double, _ places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        var power = 1.0
        for _ in 0..<places { power *= 10 }
        let scaled = (abs(value) * power).rounded()
        let whole = Int(scaled / power)
        var fraction = "\(Int(scaled - Double(whole) * power))"
        while fraction.count < places { fraction = "0" + fraction }
        return (value < 0 && scaled > 0 ? "-" : "") + "\(whole)" + (places > 0 ? ".\(fraction)" : "")
    }

    /// `value` in the form 1.2e-07.
    static func scientific(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
        var exponent = 0
        var size = abs(value)
        while size >= 9.95 { (size, exponent) = (size / 10, exponent + 1) }
        while size < 0.995 { (size, exponent) = (size * 10, exponent - 1) }
        let digits = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
        return (value < 0 ? "-" : "") + fixed(size, 1) + "e" + (exponent < 0 ? "-" : "+") + digits
    }

    static func bytes(_ count: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var size = Double(count)
        var unit = 0
        while size >= 1024, unit + 1 < units.count { (size, unit) = (size / 1024, unit + 1) }
        return unit == 0 ? "\(count) B" : "\(fixed(size, 1)) \(units[unit])"
    }
}
