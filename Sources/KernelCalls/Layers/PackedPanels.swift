extension LinearTiles {
    /// Packs some panels of a weight matrix, `[outputs, inputs]` → `[panels][inputs][panelColumns]`, bit for bit, with zeros behind
    /// the last output. Cost: one read and one write of each element.
    ///
    /// - Parameters:
    ///   - source: the matrix without gaps, elements of `elementBytes` bytes, which are 2 or 4.
    ///   - target: room for all panels.
    public func pack(
        _ panels: Range<Int>, of source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, outputs: Int,
        inputs: Int,
        elementBytes: Int
    ) {
        if elementBytes == 4 {
            pack(
                panels, of: source.assumingMemoryBound(to: UInt32.self),
                to: target.assumingMemoryBound(to: UInt32.self), outputs: outputs, inputs: inputs)
        } else {
            pack(
                panels, of: source.assumingMemoryBound(to: UInt16.self),
                to: target.assumingMemoryBound(to: UInt16.self), outputs: outputs, inputs: inputs)
        }
    }

    private func pack<Element: FixedWidthInteger>(
        _ panels: Range<Int>, of source: UnsafePointer<Element>, to target: UnsafeMutablePointer<Element>, outputs: Int,
        inputs: Int
    ) {
        let width = panelColumns
        // So few inputs at a time that the rows of a panel stay in the first cache.
        let step = 64
        for panel in panels {
            let to = target + panel * inputs * width
            let first = panel * width
            let present = min(width, outputs - first)
            for start in stride(from: 0, to: inputs, by: step) {
                for input in start..<min(start + step, inputs) {
                    let row = to + input * width
                    var from = source + first * inputs + input
                    for column in 0..<present {
                        row[column] = from.pointee
                        from += inputs
                    }
                    for column in present..<width { row[column] = 0 }
                }
            }
        }
    }
}
