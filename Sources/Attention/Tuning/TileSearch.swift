import KernelCalls

/// Finds the cheapest sizes by changing one at a time, for as long as that helps.
struct TileSearch {
    let space: TileSpace
    /// What was looked at. `nil` for sizes that are not possible.
    private(set) var costs: [[String: Int]: Double?] = [:]

    init(_ space: TileSpace) { self.space = space }

    /// - Parameters:
    ///   - start: Where it begins; its cost is known.
    ///   - cost: Of sizes not looked at yet; `nil` if they are not possible. It is told the lowest cost so far.
    ///   - shouldStop: Ends the search with what it has.
    /// - Returns: The cheapest sizes: `start`, if nothing is cheaper.
    mutating func run<E: Error>(
        from start: [String: Int], _ startCost: Double, shouldStop: () -> Bool,
        cost: ([String: Int], _ lowest: Double) throws(E) -> Double?
    ) throws(E) -> (sizes: [String: Int], cost: Double) {
        var best = (sizes: start, cost: startCost)
        costs[start] = startCost
        var unchanged = 0
        while unchanged < space.sizes.count {
            for size in space.sizes where unchanged < space.sizes.count {
                let before = best.cost
                var isMoving = true
                while isMoving {
                    isMoving = false
                    for candidate in space.neighbours(of: best.sizes, along: size) where costs[candidate] == nil {
                        if shouldStop() { return best }
                        let found = try cost(candidate, best.cost)
                        costs[candidate] = .some(found)
                        guard let found, found < best.cost else { continue }
                        best = (candidate, found)
                        isMoving = true
                        break
                    }
                }
                unchanged = best.cost < before ? 0 : unchanged + 1
            }
        }
        return best
    }
}
