import KernelCalls
import Testing

struct TileSpaceTests {
    private let space = TileSpace([
        TileSpace.Size("A", [1, 2, 4]), TileSpace.Size("B", Array(1...8), tried: [2, 4]),
    ])

    @Test func whatATextCannotHaveIsNamed() {
        #expect(space.refusal(["A": 4, "B": 3]) == nil)
        #expect(space.refusal(["A": 3]) == "A is 3, not 1, 2, 4")
        #expect(space.refusal(["B": 9]) == "B is 9, not 1 to 8")
        #expect(space.refusal(["C": 1]) == "there is no tile size C; it has: A, B")
    }

    @Test func neighboursAreAStepAway() {
        #expect(space.neighbours(of: ["A": 2, "B": 2], along: space.sizes[0]).map { $0["A"] } == [4, 1])
        #expect(space.neighbours(of: ["A": 4, "B": 3], along: space.sizes[1]).map { $0["B"] } == [4, 2])
        #expect(space.neighbours(of: ["A": 4], along: space.sizes[0]) == [["A": 2]])
        #expect(space.neighbours(of: [:], along: space.sizes[0]).isEmpty)
    }

    /// What a search may come to is what a policy may give, and every row of a table is part of it.
    @Test func tablesLieInTheirSpaces() {
        for row in FlashTiles.table where row.lanes == 16 { #expect(FlashTiles.space.refusal(row.sizes) == nil) }
        for row in TiledTiles.table { #expect(TiledTiles.space.refusal(row.sizes) == nil) }
        for row in TiledTiles.table(hasHalfProducts: true) {
            #expect(TiledTiles.given(row.sizes, hasHalfProducts: true).refusal == "" && row.hasHalfProducts)
        }
        for row in SplitTiles.table { #expect(SplitTiles.space.refusal(row.sizes) == nil) }
        for rows in [1, 4] {
            for lanes in [4, 8, 16] {
                let tiles = DecodeTiles(rows: rows, lanes: lanes)
                #expect(DecodeTiles.space.refusal(tiles.sizes) == nil)
                #expect(tiles.replacing(["AHEAD": 8]).sizes == tiles.sizes.merging(["AHEAD": 8]) { $1 })
            }
        }
        for space in [FlashTiles.space, TiledTiles.space, SplitTiles.space, DecodeTiles.space] {
            for size in space.sizes {
                #expect(size.tried == size.tried.sorted() && Set(size.tried).isSubset(of: size.allowed))
            }
        }
        for value in FlashTiles.space.sizes.first(where: { $0.name == "TILE_K" })?.allowed ?? [] {
            #expect(FlashTiles.tileJ.isMultiple(of: value))
        }
    }
}
