extension AttentionPicture {
    /// A page with one large heat map, pickers for kind, layer and head, and the weight under the pointer. It needs nothing from
    /// elsewhere. Size: four thirds of a byte a weight, and 8 KB; above 64 tokens, where maps are images of 15 steps, a quarter of a
    /// byte a weight.
    public func html(title: String) -> String {
        let data = sections.map { section in
            let layers = section.layers.map { heads in
                "["
                    + heads.map { "\"\(section.isLarge ? section.image($0) : Base64.text($0.map(Self.byte)))\"" }
                    .joined(separator: ",") + "]"
            }
            return
                "{\"name\":\(Self.quoted(section.name)),\"isLarge\":\(section.isLarge),\"queries\":[\(section.queries.map(Self.quoted).joined(separator: ","))],"
                + "\"keys\":[\(section.keys.map(Self.quoted).joined(separator: ","))],"
                + "\"layers\":[\(layers.joined(separator: ","))]}"
        }
        let heading = MarkupText.escaped(MarkupText.shortened(title, to: AttentionPicture.titleLetters))
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(heading)</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            <h1>\(heading)</h1>
            <p>Rows attend to columns; ink is the square root of the weight.</p>
            <form>
            <label>kind <select id="kind"></select></label>
            <label>layer <select id="layer"></select></label>
            <label>head <select id="head"></select></label>
            <output id="value" aria-live="polite"></output>
            </form>
            <div class="scroll" id="map"></div>
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
        .large{position:relative;margin:6rem 1rem 1rem 6rem}canvas{image-rendering:pixelated;outline:1px solid var(--line)}
        .large span{position:absolute;font-size:10px;line-height:12px;white-space:nowrap;overflow:hidden}
        .row{right:100%;max-width:6rem;padding-right:3px}
        .column{bottom:100%;max-height:6rem;padding-bottom:3px;writing-mode:vertical-rl;transform:rotate(180deg)}
        """

    private static let script = """
        const get=id=>document.getElementById(id),[kind,layer,head,map,value]=["kind","layer","head","map","value"].map(get);
        const fill=(list,names)=>{const kept=list.value;list.replaceChildren(...names.map((name,i)=>new Option(name,i)));
        if(kept!==""&&kept<names.length)list.value=kept};
        const cell=(tag,text)=>{const made=document.createElement(tag);made.textContent=text;return made};
        const pixels=async text=>{const image=Object.assign(new Image(),{src:"data:image/png;base64,"+text});await image.decode();
        const page=document.createElement("canvas");[page.width,page.height]=[image.width,image.height];
        const pen=page.getContext("2d");pen.drawImage(image,0,0);
        return pen.getImageData(0,0,page.width,page.height).data.filter((_,i)=>i%4===0)};
        const bytes=async text=>Uint8Array.from(atob(text),c=>c.charCodeAt(0));
        const told=(s,weight,r,c)=>`${s.queries[r]} → ${s.keys[c]}: ${weight(r*s.keys.length+c).toFixed(3)}`;
        function table(s,weight){const top=document.createElement("tr");top.append(cell("th",""),...s.keys.map(k=>cell("th",k)));
        const thead=document.createElement("thead");thead.append(top);const tbody=document.createElement("tbody");
        s.queries.forEach((q,r)=>{const row=document.createElement("tr");row.append(cell("th",q));
        s.keys.forEach((k,c)=>{const made=document.createElement("td");
        made.style.background=`rgba(var(--ink),${Math.sqrt(weight(r*s.keys.length+c)).toFixed(3)})`;
        made.title=told(s,weight,r,c);made.onpointerenter=()=>{value.textContent=made.title};row.append(made)});
        tbody.append(row)});const made=document.createElement("table");made.append(thead,tbody);return made}
        function picture(s,weight){const side=12,box=cell("div",""),page=document.createElement("canvas");
        const [w,h]=[page.width,page.height]=[s.keys.length,s.queries.length],pen=page.getContext("2d"),image=pen.createImageData(w,h);
        const ink=getComputedStyle(document.documentElement).getPropertyValue("--ink").split(",");
        for(let i=0;i<w*h;i++)image.data.set([...ink,Math.sqrt(weight(i))*255],4*i);pen.putImageData(image,0,0);
        for(const made of [box,page]){made.style.width=w*side+"px";made.style.height=h*side+"px"}box.className="large";box.append(page);
        const label=(text,name,edge,i)=>{const made=cell("span",text);made.className=name;made.style[edge]=i*side+"px";box.append(made)};
        s.queries.forEach((q,i)=>label(q,"row","top",i));s.keys.forEach((k,i)=>label(k,"column","left",i));
        page.onpointermove=e=>{const [r,c]=[e.offsetY,e.offsetX].map(x=>Math.floor(x/side));
        if(r>=0&&c>=0&&r<h&&c<w)value.textContent=page.title=told(s,weight,r,c)};return box}
        let turns=0;
        async function draw(){const turn=++turns,s=sections[kind.value];fill(layer,s.layers.map((_,i)=>i+1));
        fill(head,["mean"].concat(s.layers[layer.value].map((_,i)=>i+1)));
        const texts=s.layers[layer.value],shown=head.value==="0"?texts:[texts[head.value-1]];
        const heads=await Promise.all(shown.map(s.isLarge?pixels:bytes));if(turn!==turns)return;
        const weight=i=>heads.reduce((sum,h)=>sum+(h[i]/255)**2,0)/heads.length;
        map.replaceChildren((s.isLarge?picture:table)(s,weight))}
        fill(kind,sections.map(s=>s.name));for(const list of [kind,layer,head])list.onchange=draw;
        matchMedia("(prefers-color-scheme:dark)").onchange=draw;if(sections.length)draw();
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
