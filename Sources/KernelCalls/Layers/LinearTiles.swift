/// Tile sizes of `linear_wide`, and how its weights are packed. Measured rows only; a device takes the last row whose lanes it has.
public struct LinearTiles: Hashable, Sendable {
    /// Outputs in one vector.
    public let lanes: Int
    /// Vectors of outputs in a tile: a panel of packed weights is so wide.
    public let vectors: Int
    /// Rows in registers.
    public let tileRows: Int
    /// Device, figure and date behind the choice.
    public let measured: String

    /// Inputs that are summed up before they come to the total. It is part of the arithmetic, and so one number for all.
    public static let chunk = 384
    /// The most panels of a work-item: it has private memory for the totals of so many.
    public static let mostPanels = 16

    public static let table: [LinearTiles] = [
        LinearTiles(
            lanes: 4, vectors: 2, tileRows: 4, measured: "16 registers of 4: 8 sums, 0.74 of the peak on SSE2; 2026-11"),
        LinearTiles(
            lanes: 8, vectors: 2, tileRows: 6, measured: "16 registers of 8: 12 sums, 0.88 of the peak; 2026-11"),
        LinearTiles(
            lanes: 16, vectors: 2, tileRows: 14,
            measured: "32 registers of 16: 28 sums, 0.91 to 0.93 of the peak natively, 0.84 to 0.89 on PoCL; 2026-11"),
    ]

    /// The row for a device of `nativeWidth` floats to a vector. `nil` for a device without wide vectors.
    public static func row(nativeWidth: Int) -> LinearTiles? { table.last { $0.lanes <= nativeWidth } }

    /// Outputs of a panel.
    public var panelColumns: Int { lanes * vectors }

    public func panels(_ outputs: Int) -> Int { (outputs + panelColumns - 1) / panelColumns }

    /// Packed weights, `[panels][inputs][panelColumns]`, have so many elements; those behind the last output are 0.
    public func packedCount(outputs: Int, inputs: Int) -> Int { panels(outputs) * inputs * panelColumns }

    /// By their names in the text.
    public var sizes: [String: Int] {
        ["VECTORS": vectors, "TILE_M": tileRows, "CHUNK": Self.chunk, "MOST_PANELS": Self.mostPanels]
    }
}
