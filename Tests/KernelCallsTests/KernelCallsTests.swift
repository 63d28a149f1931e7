import AttentionCore
import KernelCalls
import Testing

struct KernelCallsTests {
    @Test func tilesSuitTheNumberOfQueries() {
        #expect(FlashTiles.row(nativeWidth: 1, queries: 100) == nil)
        #expect(FlashTiles.row(nativeWidth: 16, queries: 1024)?.queryVectors == 4)
        #expect(FlashTiles.row(nativeWidth: 16, queries: 7)?.queryVectors == 1)
        for row in FlashTiles.table {
            #expect(FlashTiles.tileJ.isMultiple(of: row.tileK))
            #expect(64.isMultiple(of: row.tileV))
        }
    }

    @Test(arguments: [
        (1, 1, 1, 1), (3, 4, 5, 7), (3, 4, 5, 20), (3, 4, 5, 1_000), (2, 1, 9, 4), (0, 4, 5, 3), (2, 3, 0, 3),
    ])
    func piecesCoverACallOnce(segments: Int, heads: Int, tiles: Int, limit: Int) {
        let pieces = StagedPiece.pieces(segments: segments, heads: heads, tiles: tiles, limit: limit)
        var seen: [[Int]: Int] = [:]
        for piece in pieces {
            #expect(piece.tileCount <= limit)
            for s in piece.segments {
                for h in piece.heads { for t in piece.tiles { seen[[s, h, t], default: 0] += 1 } }
            }
        }
        #expect(seen.count == segments * heads * tiles)
        #expect(seen.values.allSatisfy { $0 == 1 })
    }

    /// Rows without columns may be of any number, which no kernel counts.
    @Test func absurdSizesAreRefused() throws {
        let tensor = try Tensor(uninitialized: [1, 1 << 40, 1 << 40, 0])
        let table = try Tensor(uninitialized: [1 << 40, 0])
        let step = try RotaryOperation(input: tensor, cosines: table, sines: table, starts: [0], output: tensor)
        #expect(LayerOperation.rotary(step).kernelRefusal?.contains("\(Int.max)") == true)
    }

    /// The host writes the structures of Kernels/common/problem.clh byte for byte.
    @Test func structuresHaveTheSizesOfTheKernels() {
        #expect(MemoryLayout<KernelView>.size == 40)
        #expect(MemoryLayout<KernelSegment>.size == 32)
        #expect(MemoryLayout<KernelProblem>.size == 7 * 40 + 2 * 8 + 22 * 4 + 2 * 4)
        #expect(MemoryLayout<KernelProblem>.size.isMultiple(of: 8))
    }
}
