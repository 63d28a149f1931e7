/// Tile sizes of `decode_split`. A device takes the first row that fits.
public struct SplitTiles: Hashable, Sendable {
    /// Work-items of a work-group, and keys of a chunk.
    public let items: Int
    /// Device, figure and date behind the choice.
    public let measured: String

    /// Depths of the queries that are in local memory at once, and work-items that share a key: as in the text.
    private static let depths = 64
    private static let team = 4

    public init(items: Int, measured: String) {
        self.items = items
        self.measured = measured
    }

    /// Rows of a work-group for `rows` rows to a key head: as many as share a read of a key.
    public static func rows(_ rows: Int) -> Int { rows <= 1 ? 1 : rows == 2 ? 2 : 4 }

    /// Work-items along `columns` value columns, four each.
    public func columnItems(_ columns: Int) -> Int {
        var items = 4
        while items * 4 < columns, items < min(self.items, 64) { items *= 2 }
        return min(items, self.items)
    }

    /// Local memory of a work-group, in bytes: products, depths, weights and the largest of each row.
    public func localBytes(rows: Int) -> Int {
        rows * (items * Self.team + Self.depths + items + 1) * MemoryLayout<Float>.stride
    }

    public static let space = TileSpace([TileSpace.Size("ITEMS", [16, 32, 64, 128, 256])])

    /// By their names in the text.
    public var sizes: [String: Int] { ["ITEMS": items] }

    /// The rows that `sizes` leaves: the one it names, or the table.
    public static func rows(given sizes: [String: Int]) -> [SplitTiles] {
        sizes["ITEMS"].map { [SplitTiles(items: $0, measured: "as given")] } ?? table
    }

    public static let table: [SplitTiles] = [
        SplitTiles(items: 128, measured: "11 KiB of local memory for four rows; not measured on a GPU"),
        SplitTiles(items: 64, measured: "for 64 work-items; not measured on a GPU"),
        SplitTiles(items: 32, measured: "for 32 work-items; not measured on a GPU"),
        SplitTiles(items: 16, measured: "for 16 work-items; not measured on a GPU"),
    ]

    /// Whether a device has room for them.
    public func fits(largestGroup: Int, localBytes: Int, rows: Int) -> Bool {
        items <= largestGroup && self.localBytes(rows: rows) <= localBytes
    }
}
