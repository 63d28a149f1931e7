extension AttentionPicture {
    /// One picture with a heat map for every layer (a row) and head (a column), tokens on both axes, for light and dark pages.
    ///
    /// Size: some six bytes a weight that is not next to nothing, 100 to 200 KB for a sentence and a small model; above 64 tokens, where
    /// maps are images, a quarter of a byte a weight. It needs no font, script or file from elsewhere.
    public func svg(title: String) -> String {
        var drawing = SVGDrawing()
        drawing.add(title, sections)
        return drawing.text(title)
    }
}

/// An SVG in the making.
private struct SVGDrawing {
    /// The side of a cell, the room of a letter of a token, and other lengths, in pixels.
    private enum Length {
        static let cell = 11.0
        static let letter = 5.4
        static let gap = 18.0
        static let margin = 24.0
        static let heading = 30.0
    }
    /// Longer tokens are cut.
    private static let letters = 12

    private var body = ""
    /// How many there are.
    private var masks = 0
    private var (width, y) = (0.0, Length.margin)

    mutating func add(_ title: String, _ sections: [AttentionPicture.Section]) {
        line(MarkupText.shortened(title, to: AttentionPicture.titleLetters), style: "t", height: 24)
        line("rows attend to columns; ink is the square root of the weight", style: "n", height: 18)
        legend()
        for (index, section) in sections.enumerated() where !section.layers.isEmpty { add(section, "s\(index)") }
    }

    private mutating func line(_ text: String, style: String, height: Double) {
        y += height
        body +=
            "<text class=\"\(style)\" x=\"\(MarkupText.number(Length.margin))\" y=\"\(MarkupText.number(y))\">"
            + "\(MarkupText.escaped(text))</text>\n"
        width = max(width, Length.margin * 2 + Double(text.count) * 8)
    }

    private mutating func legend() {
        y += 12
        let steps = AttentionPicture.Section.steps
        body += "<g transform=\"translate(\(MarkupText.number(Length.margin)) \(MarkupText.number(y)))\">"
        for step in 1...steps {
            body +=
                "<path class=\"k\(step)\" transform=\"scale(\(MarkupText.number(Length.cell)))\" d=\"M\(step - 1) .5h1\"/>"
        }
        let end = Double(steps) * Length.cell + 6
        body += "<text class=\"l\" x=\"\(MarkupText.number(end))\" y=\"9\">0 to 1</text></g>\n"
        y += Length.cell + 6
    }

    private mutating func add(_ section: AttentionPicture.Section, _ id: String) {
        line(section.name, style: "h", height: Length.heading)
        y += 8
        let rowRoom = Self.room(section.queries)
        let columnRoom = Self.room(section.keys)
        body += labels(section, id)
        let panelWidth = rowRoom + Double(section.keys.count) * Length.cell
        let panelHeight = columnRoom + Double(section.queries.count) * Length.cell + 14
        for (layer, heads) in section.layers.enumerated() {
            for (head, weights) in heads.enumerated() {
                let x = Length.margin + Double(head) * (panelWidth + Length.gap)
                panel(
                    section, id, weights, "layer \(layer + 1), head \(head + 1)", x: x, rowRoom: rowRoom,
                    columnRoom: columnRoom)
                width = max(width, x + panelWidth + Length.margin)
            }
            y += panelHeight + Length.gap
        }
    }

    /// The tokens of both axes, drawn once and shown beside each map.
    private func labels(_ section: AttentionPicture.Section, _ id: String) -> String {
        var text = "<defs><g id=\"\(id)\" class=\"l\">"
        for (index, token) in section.queries.enumerated() {
            let y = MarkupText.number((Double(index) + 0.75) * Length.cell)
            text += "<text x=\"-3\" y=\"\(y)\" text-anchor=\"end\">\(Self.label(token))</text>"
        }
        for (index, token) in section.keys.enumerated() {
            let x = MarkupText.number((Double(index) + 0.75) * Length.cell)
            text += "<text transform=\"translate(\(x) -3) rotate(-90)\">\(Self.label(token))</text>"
        }
        return text + "</g></defs>\n"
    }

    private mutating func panel(
        _ section: AttentionPicture.Section, _ id: String, _ weights: [Float], _ name: String, x: Double,
        rowRoom: Double,
        columnRoom: Double
    ) {
        let (left, top) = (x + rowRoom, y + columnRoom + 14)
        body += "<g transform=\"translate(\(MarkupText.number(left)) \(MarkupText.number(top)))\">"
        body += "<text class=\"n\" y=\"\(MarkupText.number(-columnRoom - 3))\">\(name)</text><use href=\"#\(id)\"/>"
        body += "<g transform=\"scale(\(MarkupText.number(Length.cell)))\">"
        body += "<path class=\"f\" d=\"M0 0h\(section.keys.count)v\(section.queries.count)h-\(section.keys.count)z\"/>"
        if section.isLarge {
            body += image(section, weights)
        } else {
            for (step, path) in Self.paths(weights, columns: section.keys.count) {
                body += "<path class=\"k\(step)\" d=\"\(path)\"/>"
            }
        }
        body += "</g></g>\n"
    }

    /// Ink in the colour of the page, through a mask of one pixel a cell.
    private mutating func image(_ section: AttentionPicture.Section, _ weights: [Float]) -> String {
        masks += 1
        let size = "width=\"\(section.keys.count)\" height=\"\(section.queries.count)\""
        return "<mask id=\"m\(masks)\" maskUnits=\"userSpaceOnUse\" x=\"0\" y=\"0\" \(size)>"
            + "<image class=\"g\" \(size) preserveAspectRatio=\"none\" "
            + "href=\"data:image/png;base64,\(section.image(weights))\"/></mask>"
            + "<rect class=\"i\" \(size) mask=\"url(#m\(masks))\"/>"
    }

    /// For each step the cells that have it, as lines as thick as a cell; neighbours of a row are one line.
    private static func paths(_ weights: [Float], columns: Int) -> [(step: Int, path: String)] {
        var paths = [String](repeating: "", count: AttentionPicture.Section.steps + 1)
        guard columns > 0 else { return [] }
        var index = 0
        while index < weights.count {
            let (row, first) = (index / columns, index % columns)
            let step = AttentionPicture.Section.step(weights[index])
            var length = 1
            while first + length < columns, AttentionPicture.Section.step(weights[index + length]) == step {
                length += 1
            }
            if step > 0 { paths[step] += "M\(first) \(row).5h\(length)" }
            index += length
        }
        return paths.enumerated().filter { !$0.element.isEmpty }.map { ($0.offset, $0.element) }
    }

    private static func label(_ token: String) -> String {
        MarkupText.escaped(MarkupText.shortened(token, to: letters))
    }

    private static func room(_ tokens: [String]) -> Double {
        Double(min(tokens.map(\.count).max() ?? 0, letters)) * Length.letter + 6
    }

    func text(_ title: String) -> String {
        let (w, h) = (MarkupText.number(width), MarkupText.number(y + Length.margin))
        let inks = (1...AttentionPicture.Section.steps).map {
            ".k\($0){stroke-opacity:\(MarkupText.number(AttentionPicture.Section.ink($0)))}"
        }.joined()
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(w)" height="\(h)" viewBox="0 0 \(w) \(h)">
            <title>\(MarkupText.escaped(title))</title>
            <style>
            .p{fill:#fff}text{font-family:system-ui,sans-serif;fill:#1b1f24}
            .t{font-size:18px;font-weight:600}.h{font-size:15px;font-weight:600}.n{font-size:11px;fill:#5b6470}
            .l{font-size:9px}.f{fill:none;stroke:#d3d8de;stroke-width:.06}
            [class^=k]{stroke:#0b57c2;stroke-width:1;fill:none}.i{fill:#0b57c2}.g{image-rendering:pixelated}
            @media (prefers-color-scheme:dark){.p{fill:#14171b}text{fill:#e8ebef}.n{fill:#a3adb8}.f{stroke:#3a424b}
            [class^=k]{stroke:#7db4ff}.i{fill:#7db4ff}}
            \(inks)
            </style>
            <rect class="p" width="100%" height="100%"/>
            \(body)</svg>

            """
    }
}
