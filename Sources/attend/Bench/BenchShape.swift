import Attention

/// One shape that `bench` times.
struct BenchShape: BenchWork, Sendable {
    var shape: AttentionShape
    var type = ElementType.float32
    var isCausal = false
    var windowLeft: Int?

    init(
        _ sizes: [Int], _ type: ElementType = .float32, isCausal: Bool = false, windowLeft: Int? = nil
    ) {
        shape = AttentionShape(
            batch: sizes[0], queryHeads: sizes[1], keyValueHeads: sizes[2], queryLength: sizes[3], keyLength: sizes[4],
            headDimension: sizes[5], valueDimension: sizes.count > 6 ? sizes[6] : sizes[5])
        self.type = type
        self.isCausal = isCausal
        self.windowLeft = windowLeft
    }

    /// `B,Hq,Hkv,Lq,Lk,D[,Dv]`; `nil` if `text` is not that.
    init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let sizes = parts.compactMap { Int($0) }
        guard sizes.count == parts.count, (6...7).contains(sizes.count),
            sizes.allSatisfy({ (1...(1 << 24)).contains($0) }),
            sizes[1].isMultiple(of: sizes[2])
        else { return nil }
        self.init(sizes)
    }

    /// One query to many keys. The operands of others may stay in the caches.
    var isBoundByReading: Bool { shape.queryLength == 1 }

    var json: [(String, JSON)] {
        [
            ("shape", .shape(shape)), ("causal", .bool(isCausal)),
            ("window_left", windowLeft.map { .int($0) } ?? .null),
        ]
    }

    /// Bytes that one call has to read at least: keys and values once.
    var keyValueBytes: Int {
        shape.batch * shape.keyValueHeads * shape.keyLength * (shape.headDimension + shape.valueDimension)
            * type.byteCount
    }

    /// Bytes that one call has to move at least: every operand once, the result once.
    var movedBytes: Int {
        keyValueBytes + shape.batch * shape.queryHeads * shape.queryLength
            * (shape.headDimension + shape.valueDimension) * type.byteCount
    }

    var mask: AttentionMask {
        var mask = AttentionMask()
        mask.isCausal = isCausal
        mask.windowLeft = windowLeft
        return mask
    }

    var label: String {
        let s = shape
        var text = "\(s.batch),\(s.queryHeads),\(s.keyValueHeads),\(s.queryLength),\(s.keyLength),\(s.headDimension)"
        if s.valueDimension != s.headDimension { text += ",\(s.valueDimension)" }
        if isCausal { text += " causal" }
        if let windowLeft { text += " window-left \(windowLeft)" }
        return text
    }

    /// What is timed without `--shape`: prefill of several lengths, causal and windowed, encoders, decode, 16-bit storage,
    /// odd sizes.
    static let standard: [BenchShape] = [
        BenchShape([1, 8, 8, 512, 512, 64]),
        BenchShape([1, 8, 8, 1024, 1024, 64]),
        BenchShape([1, 8, 8, 1024, 1024, 128]),
        BenchShape([1, 8, 8, 4096, 4096, 64]),
        BenchShape([1, 8, 8, 2048, 2048, 64], isCausal: true),
        BenchShape([1, 8, 8, 8192, 8192, 64], isCausal: true, windowLeft: 255),
        BenchShape([1, 12, 12, 128, 128, 64]),
        BenchShape([32, 12, 12, 128, 128, 32]),
        BenchShape([1, 32, 32, 1, 4096, 128]),
        BenchShape([1, 32, 8, 1, 4096, 128]),
        BenchShape([1, 8, 8, 1024, 1024, 64], .float16),
        BenchShape([1, 8, 8, 1024, 1024, 64], .bfloat16),
        BenchShape([1, 8, 8, 1000, 1003, 72]),
        BenchShape([1, 8, 8, 1024, 1024, 35]),
        BenchShape([1, 8, 8, 1024, 1024, 80]),
        BenchShape([1, 8, 8, 1024, 1024, 96]),
        BenchShape([1, 8, 8, 1024, 1024, 192, 128]),
    ]
}
