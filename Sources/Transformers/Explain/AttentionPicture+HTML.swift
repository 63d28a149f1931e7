extension AttentionPicture {
    /// A page with one large heat map, pickers for kind, layer and head, and the weight under the pointer. It needs nothing from
    /// elsewhere. Size: four thirds of a byte a weight, and 6 KB.
    public func html(title: String) -> String {
        let data = sections.map { section in
            let layers = section.layers.map { heads in
                "[" + heads.map { "\"\(Base64.text($0.map(Self.byte)))\"" }.joined(separator: ",") + "]"
            }
            return
                "{\"name\":\(Self.quoted(section.name)),\"queries\":[\(section.queries.map(Self.quoted).joined(separator: ","))],"
                + "\"keys\":[\(section.keys.map(Self.quoted).joined(separator: ","))],"
                + "\"layers\":[\(layers.joined(separator: ","))]}"
        }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(MarkupText.escaped(title))</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            <h1>\(MarkupText.escaped(title))</h1>
            <p>Rows attend to columns; ink is the square root of the weight.</p>
            <form>
            <label>kind <select id="kind"></select></label>
            <label>layer <select id="layer"></select></label>
            <label>head <select id="head"></select></label>
            <output id="value" aria-live="polite"></output>
            </form>
            <div class="scroll"><table id="map"></table></div>
            <script>const sections=[\(data.joined(separator: ","))];\(Self.script)</script>
            </body>
            </html>

            """
    }

    /// A weight in 255 steps of its square root.
    private static func byte(_ weight: Float) -> UInt8 {
        guard weight > 0 else { return 0 }
        return UInt8(min(255, (weight.squareRoot() * 255).rounded()))
    }

    /// A JavaScript string that ends neither itself nor the script around it.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "<", ">", "&", "\u{2028}", "\u{2029}": result += "\\u" + hexadecimal(scalar.value)
            case _ where scalar.value < 0x20: result += "\\u" + hexadecimal(scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static let style = """
        :root{--paper:#fff;--text:#1b1f24;--soft:#5b6470;--line:#d3d8de;--ink:11,87,194}
        @media (prefers-color-scheme:dark){:root{--paper:#14171b;--text:#e8ebef;--soft:#a3adb8;--line:#3a424b;--ink:125,180,255}}
        body{margin:2rem;background:var(--paper);color:var(--text);font-family:system-ui,sans-serif}
        h1{font-size:1.2rem}p{color:var(--soft);font-size:.85rem}
        form{display:flex;flex-wrap:wrap;gap:1rem;align-items:center;margin:1rem 0}
        select{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:4px;padding:.2rem}
        output{font-variant-numeric:tabular-nums;color:var(--soft)}
        .scroll{overflow:auto}table{border-collapse:collapse;font-size:.75rem}
        th{font-weight:400;white-space:nowrap;padding:0 .35rem}
        thead th{writing-mode:vertical-rl;transform:rotate(180deg);text-align:left;padding:.35rem 0}
        tbody th{text-align:right}td{width:1.4rem;min-width:1.4rem;height:1.4rem;border:1px solid var(--line)}
        """

    private static let script = """
        const get=id=>document.getElementById(id),[kind,layer,head,map,value]=["kind","layer","head","map","value"].map(get);
        const fill=(list,names)=>{const kept=list.value;list.replaceChildren(...names.map((name,i)=>new Option(name,i)));
        if(kept!==""&&kept<names.length)list.value=kept};
        const cell=(tag,text)=>{const made=document.createElement(tag);made.textContent=text;return made};
        function draw(){const s=sections[kind.value];fill(layer,s.layers.map((_,i)=>i+1));
        fill(head,["mean"].concat(s.layers[layer.value].map((_,i)=>i+1)));
        const heads=s.layers[layer.value].map(text=>Uint8Array.from(atob(text),c=>c.charCodeAt(0)));
        const shown=head.value==="0"?heads:[heads[head.value-1]];
        const weight=i=>shown.reduce((sum,h)=>sum+(h[i]/255)**2,0)/shown.length;
        const top=document.createElement("tr");top.append(cell("th",""),...s.keys.map(k=>cell("th",k)));
        const thead=document.createElement("thead");thead.append(top);const tbody=document.createElement("tbody");
        s.queries.forEach((q,r)=>{const row=document.createElement("tr");row.append(cell("th",q));
        s.keys.forEach((k,c)=>{const w=weight(r*s.keys.length+c),made=document.createElement("td");
        made.style.background=`rgba(var(--ink),${Math.sqrt(w).toFixed(3)})`;
        made.title=`${q} → ${k}: ${w.toFixed(3)}`;made.onpointerenter=()=>{value.textContent=made.title};row.append(made)});
        tbody.append(row)});map.replaceChildren(thead,tbody)}
        fill(kind,sections.map(s=>s.name));for(const list of [kind,layer,head])list.onchange=draw;
        if(sections.length)draw();
        """
}

/// Bytes as text (RFC 4648, with padding).
enum Base64 {
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(0) { $0 << 8 | Int($1) }
            bits <<= 8 * (3 - group.count)
            for place in 0..<4 {
                let letter = letters[bits >> (18 - 6 * place) & 63]
                result.append(place <= group.count ? letter : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
