import KernelCalls
import Testing

struct LinearSplitTests {
    @Test(arguments: LinearTiles.table, [1, 2, 5, 64])
    func workItemsCoverAllTilesWithoutAnIdleOne(tiles: LinearTiles, computeUnits: Int) {
        for rows in [0, 1, tiles.tileRows, tiles.tileRows + 1, 100, 1024, 5000] {
            for outputs in [1, tiles.panelColumns, tiles.panelColumns + 1, 384, 1152, 4096] {
                let split = LinearSplit(rows: rows, outputs: outputs, tiles: tiles, computeUnits: computeUnits)
                let rowTiles = max((rows + tiles.tileRows - 1) / tiles.tileRows, 1)
                let panels = tiles.panels(outputs)
                let note: Comment = "\(rows) rows, \(outputs) outputs: \(split)"
                #expect(split.itemTiles * split.rowItems >= rowTiles, note)
                #expect(split.itemTiles * (split.rowItems - 1) < rowTiles, note)
                #expect(split.itemPanels * split.panelItems >= panels, note)
                #expect(split.itemPanels * (split.panelItems - 1) < panels, note)
                #expect((1...LinearTiles.mostPanels).contains(split.itemPanels), note)
                // Nobody is idle where there are tiles enough.
                let wanted = computeUnits > 1 ? min(4 * computeUnits, rowTiles * panels) : 1
                #expect(split.rowItems * split.panelItems * 2 > wanted, note)
            }
        }
    }

    /// A work-item reads its rows once for all of its panels: 12 panels are not 10 and 2.
    @Test func panelsAreSharedEvenly() throws {
        let tiles = try #require(LinearTiles.row(nativeWidth: 16))
        #expect(LinearSplit(rows: 1024, outputs: 384, tiles: tiles, computeUnits: 2).itemPanels == 12)
        #expect(LinearSplit(rows: 1024, outputs: 1152, tiles: tiles, computeUnits: 2).itemPanels == 12)
        #expect(LinearSplit(rows: 1024, outputs: 1536, tiles: tiles, computeUnits: 2).itemPanels == 16)
    }
}
