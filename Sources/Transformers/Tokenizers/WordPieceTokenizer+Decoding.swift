extension WordPieceTokenizer {
    public func decode(_ tokens: [Int]) -> String {
        var text = ""
        var isFirst = true
        for id in tokens where addedByID[id]?.isSpecial != true {
            guard var piece = decodedTokens[id] ?? vocabulary.token(id) else { continue }
            if !isFirst {
                piece =
                    piece.utf8.starts(with: options.continuingPrefix.utf8)
                    ? String(decoding: piece.utf8.dropFirst(options.continuingPrefix.utf8.count), as: UTF8.self)
                    : " " + piece
            }
            isFirst = false
            text += options.cleansDecodedText ? Self.cleaned(piece) : piece
        }
        return text
    }

    /// One piece without the space before punctuation and contractions, as Hugging Face removes it.
    private static func cleaned(_ piece: String) -> String {
        let changes: KeyValuePairs = [
            " .": ".", " ?": "?", " !": "!", " ,": ",", " ' ": "'", " n't": "n't", " 'm": "'m", " do not": " don't",
            " 's": "'s", " 've": "'ve", " 're": "'re",
        ]
        guard piece.utf8.first == 0x20 || piece.utf8.contains(0x20) else { return piece }
        var bytes = Array(piece.utf8)
        for (from, to) in changes { bytes = replaced(bytes, Array(from.utf8), Array(to.utf8)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func replaced(_ bytes: [UInt8], _ from: [UInt8], _ to: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if bytes[position...].starts(with: from) {
                result += to
                position += from.count
            } else {
                result.append(bytes[position])
                position += 1
            }
        }
        return result
    }
}
