import KernelCalls
import OpenCLRuntime

/// One specialisation of `decode_split` or `decode_merge`: all that its text is compiled with. Two equal ones are the same program.
struct SplitKernel: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        case split(tiles: SplitTiles, value: KernelStorage, rows: Int, columnItems: Int, hasMask: Bool)
        case merge(items: Int)
    }

    let step: Step
    let query: KernelStorage
    let fuses: Bool
    var subGroups = SubGroups()

    var name: String {
        switch step {
        case .split: "decode_split"
        case .merge: "decode_merge"
        }
    }

    var definitions: [(name: String, value: BuildOptions.Value)] {
        let common: [(name: String, value: BuildOptions.Value)] = [
            ("Q_STORAGE", .identifier(query.rawValue)), ("FUSES", .integer(fuses ? 1 : 0)),
        ]
        switch step {
        case .merge(let items): return common + [("ITEMS", .integer(Int64(items)))]
        case .split(let tiles, let value, let rows, let columnItems, let hasMask):
            return common + subGroups.definitions + [
                ("ITEMS", .integer(Int64(tiles.items))), ("ROWS", .integer(Int64(rows))),
                ("COLUMN_ITEMS", .integer(Int64(columnItems))), ("V_STORAGE", .identifier(value.rawValue)),
                ("HAS_MASK", .integer(hasMask ? 1 : 0)),
            ]
        }
    }
}
