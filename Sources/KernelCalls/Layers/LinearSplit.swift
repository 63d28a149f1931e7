/// How the tiles of a linear layer are dealt out to work-items. It changes no result.
public struct LinearSplit: Hashable, Sendable {
    /// Tiles of rows, and panels, of a work-item.
    public let itemTiles: Int
    public let itemPanels: Int
    /// Work-items along the panels and along the rows: the launch.
    public let columnItems: Int
    public let rowItems: Int

    /// Weights of a work-item that stay in a core's second cache while its rows go by, in bytes.
    private static let cachedBytes = 512 << 10

    public init(rows: Int, inputs: Int, outputs: Int, elementBytes: Int, tiles: LinearTiles, computeUnits: Int) {
        let rowTiles = max((rows + tiles.tileRows - 1) / tiles.tileRows, 1)
        let panels = max(tiles.panels(outputs), 1)
        let panelBytes = max(inputs * tiles.panelColumns * elementBytes, 1)
        // Two panels at least: a work-item copies the rows that it reads, once for all its panels.
        var itemPanels = min(max(Self.cachedBytes / panelBytes, 2), LinearTiles.mostPanels, panels)
        var itemTiles = rowTiles
        // Four work-items to a compute unit leave nobody idle for long; rows are cut first, as weights are read again for each part.
        let wanted = computeUnits > 1 ? 4 * computeUnits : 1
        func count(_ size: Int, _ all: Int) -> Int { (all + size - 1) / size }
        while count(itemPanels, panels) * count(itemTiles, rowTiles) < wanted {
            if itemTiles > 4 {
                itemTiles = (itemTiles + 1) / 2
            } else if itemPanels > 1 {
                itemPanels = (itemPanels + 1) / 2
            } else if itemTiles > 1 {
                itemTiles = (itemTiles + 1) / 2
            } else {
                break
            }
        }
        self.itemTiles = itemTiles
        self.itemPanels = itemPanels
        columnItems = count(itemPanels, panels)
        rowItems = count(itemTiles, rowTiles)
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
