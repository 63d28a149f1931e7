/// BERT's normalisation of text: cleaning, room around Chinese characters, accents removed, lower case.
///
/// It gives the bytes that the Rust crate `tokenizers` gives, whatever the system's Unicode version.
public struct BERTNormalizer: Hashable, Sendable {
    /// Removes NUL, U+FFFD and control characters, and turns every white space into a space.
    public var cleansText: Bool
    /// Puts a space on either side of each Chinese character.
    public var separatesIdeographs: Bool
    /// Decomposes canonically and removes the marks of category Mn; nil does so when `lowercases` is set.
    public var stripsAccents: Bool?
    /// Gives each scalar's lower case, without regard to its neighbours.
    public var lowercases: Bool

    /// The values of an uncased BERT.
    public init(
        cleansText: Bool = true, separatesIdeographs: Bool = true, stripsAccents: Bool? = nil, lowercases: Bool = true
    ) {
        self.cleansText = cleansText
        self.separatesIdeographs = separatesIdeographs
        self.stripsAccents = stripsAccents
        self.lowercases = lowercases
    }

    /// The normalised text. Time and memory are linear in the length but for runs of marks, which are sorted.
    public func normalize(_ text: String) -> String {
        var output: [UInt8] = []
        text.withUTF8Bytes { append($0, to: &output) }
        return String(decoding: output, as: UTF8.self)
    }

    /// Appends the normalised form of valid UTF-8.
    func append(_ bytes: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        output.reserveCapacity(output.count + bytes.count)
        var run = NormalizingRun(normalizer: self)
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte < 0x80 {
                run.appendASCII(byte, to: &output)
                position += 1
            } else {
                let (scalar, next) = ScalarBytes.decode(bytes, position)
                run.append(scalar, to: &output)
                position = next
            }
        }
        run.flush(to: &output)
    }
}

/// One text on its way through a normaliser.
private struct NormalizingRun {
    private let cleansText: Bool
    private let separatesIdeographs: Bool
    private let stripsAccents: Bool
    private let lowercases: Bool
    private let tables = ScalarTables.shared
    /// Scalars of a combining class other than 0 that wait to be put in order.
    private var waiting: [(scalar: UInt32, combiningClass: UInt16)] = []

    init(normalizer: BERTNormalizer) {
        cleansText = normalizer.cleansText
        separatesIdeographs = normalizer.separatesIdeographs
        stripsAccents = normalizer.stripsAccents ?? normalizer.lowercases
        lowercases = normalizer.lowercases
    }

    @inline(__always)
    mutating func appendASCII(_ byte: UInt8, to output: inout [UInt8]) {
        if byte < 0x20 || byte == 0x7F, cleansText {
            guard byte == 0x09 || byte == 0x0A || byte == 0x0D else { return }
            flush(to: &output)
            output.append(0x20)
            return
        }
        flush(to: &output)
        output.append(lowercases && byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
    }

    mutating func append(_ scalar: UInt32, to output: inout [UInt8]) {
        let kind = tables.kind(scalar)
        if cleansText {
            if kind.contains(.dropped) { return }
            if kind.contains(.cleanedToSpace) {
                flush(to: &output)
                output.append(0x20)
                return
            }
        }
        let isApart = separatesIdeographs && kind.contains(.ideograph)
        if isApart {
            flush(to: &output)
            output.append(0x20)
        }
        if stripsAccents {
            appendBases(of: scalar, kind, to: &output)
        } else {
            appendLower(scalar, to: &output)
        }
        if isApart {
            flush(to: &output)
            output.append(0x20)
        }
    }

    private mutating func appendBases(of scalar: UInt32, _ kind: ScalarClass, to output: inout [UInt8]) {
        if kind.contains(.mark) {
            // It goes, but what stands before it and after it keeps its order.
            if kind.contains(.startingMark) { flush(to: &output) }
            return
        }
        tables.forEachBase(of: scalar) { base in
            let combiningClass = tables.kind(base).combiningClass
            if combiningClass != 0 {
                waiting.append((base, combiningClass))
            } else {
                flush(to: &output)
                appendLower(base, to: &output)
            }
        }
    }

    private func appendLower(_ scalar: UInt32, to output: inout [UInt8]) {
        guard lowercases else { return ScalarBytes.append(scalar, to: &output) }
        if scalar == 0x130 {
            // i and a dot above: the one letter whose lower case is two scalars.
            output.append(0x69)
            return ScalarBytes.append(0x307, to: &output)
        }
        ScalarBytes.append(tables.lower(scalar), to: &output)
    }

    /// Puts what waits in canonical order. Swift's sort keeps equal elements in place, but that is not promised.
    @inline(__always)
    mutating func flush(to output: inout [UInt8]) {
        if !waiting.isEmpty { flushWaiting(to: &output) }
    }

    @inline(never)
    private mutating func flushWaiting(to output: inout [UInt8]) {
        let order = waiting.indices.sorted {
            (waiting[$0].combiningClass, $0) < (waiting[$1].combiningClass, $1)
        }
        for index in order { appendLower(waiting[index].scalar, to: &output) }
        waiting.removeAll(keepingCapacity: true)
    }
}
