/// How the tiles of a linear layer are dealt out to work-items. It changes no result.
public struct LinearSplit: Hashable, Sendable {
    /// Tiles of rows, and panels, of a work-item.
    public let itemTiles: Int
    public let itemPanels: Int
    /// Work-items along the rows and along the panels: the launch, rows first.
    public let rowItems: Int
    public let panelItems: Int

    /// A work-item reads its rows once for all of its panels, so that it has as many as there is room for; their weights, which all
    /// its neighbours read too, come fast enough from the last cache.
    public init(rows: Int, outputs: Int, tiles: LinearTiles, computeUnits: Int) {
        func count(_ size: Int, _ all: Int) -> Int { (all + size - 1) / size }
        let rowTiles = max(count(tiles.tileRows, rows), 1)
        let panels = max(tiles.panels(outputs), 1)
        var itemPanels = count(count(LinearTiles.mostPanels, panels), panels)
        var itemTiles = rowTiles
        // Sixteen work-items to a compute unit end at about one time, if rows alone can be cut; of panels, for whose parts rows are
        // read again, four are enough.
        let (many, some) = computeUnits > 1 ? (16 * computeUnits, 4 * computeUnits) : (1, 1)
        func items() -> Int { count(itemPanels, panels) * count(itemTiles, rowTiles) }
        while itemTiles > 4, items() < many { itemTiles = (itemTiles + 1) / 2 }
        while itemPanels > 1, items() < some { itemPanels = (itemPanels + 1) / 2 }
        while itemTiles > 1, items() < some { itemTiles = (itemTiles + 1) / 2 }
        self.itemTiles = itemTiles
        self.itemPanels = itemPanels
        rowItems = count(itemTiles, rowTiles)
        panelItems = count(itemPanels, panels)
    }
}

/// How many rows a work-item of the row kernels takes, so that starting it is a small part of its work.
public enum RowSplit {
    /// - Parameter elements: how many numbers of a row are read and written.
    public static func itemRows(rows: Int, elements: Int, computeUnits: Int) -> Int {
        // Some thousand numbers take a microsecond or less.
        let enough = max(8192 / max(elements, 1), 1)
        let shared = (rows + 4 * computeUnits - 1) / (4 * computeUnits)
        return max(min(enough, shared), 1)
    }
}
