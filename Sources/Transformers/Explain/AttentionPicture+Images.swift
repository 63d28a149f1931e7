extension AttentionPicture.Section {
    /// Maps of more cells are images of 15 grey steps: drawn cell by cell, those of 256 tokens would take 100 KB each.
    static let mostDrawnCells = 64 * 64

    /// Whether maps are images.
    var isLarge: Bool { queries.count * keys.count > Self.mostDrawnCells }

    /// A map as PNG in base 64, white for a weight of 1, by the square root.
    func image(_ weights: [Float]) -> String {
        let grey = weights.map { weight -> UInt8 in
            guard weight > 0 else { return 0 }
            return UInt8((min(weight, 1).squareRoot() * Float(GreyImage.white)).rounded())
        }
        return Base64.text(GreyImage.png(grey, width: keys.count))
    }
}
