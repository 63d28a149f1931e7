/// Files that a strict safetensors reader must refuse, each for one reason, which its name tells. No two have the same name.
///
/// Each is well-formed in everything else: the length prefix is right, the data is there, and the tensor beside the
/// faulty one is sound.
public func malformedTensorFiles() -> [(name: String, bytes: [UInt8])] {
    brokenLengths() + brokenObjects() + brokenStrings() + repeatedKeys() + brokenEntries() + brokenShapes()
        + brokenOffsets() + brokenMetadata()
}

private typealias Row = (name: String, bytes: [UInt8])

/// Length prefix, header, and `data` zeros.
private func file(_ header: some Sequence<UInt8>, data: Int = 0, claimedLength: UInt64? = nil) -> [UInt8] {
    let header = Array(header)
    let length = claimedLength ?? UInt64(header.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header + [UInt8](repeating: 0, count: data)
}

private func file(_ header: String, data: Int = 0, claimedLength: UInt64? = nil) -> [UInt8] {
    file(header.utf8, data: data, claimedLength: claimedLength)
}

private func entry(_ shape: String = "[4]", _ offsets: String = "[0,4]", dtype: String = "\"U8\"") -> String {
    "{\"dtype\":\(dtype),\"shape\":\(shape),\"data_offsets\":\(offsets)}"
}

/// One tensor `a` whose value is `value`.
private func one(_ value: String, data: Int = 4) -> [UInt8] { file("{\"a\":\(value)}", data: data) }

private func brokenLengths() -> [Row] {
    let header = "{\"a\":\(entry())}"
    let size = UInt64(header.utf8.count)
    let whole = file(header, data: 4)
    let short: [Row] = (0..<8).map { ("file of \($0) bytes", Array(whole.prefix($0))) }
    return short + [
        ("length prefix alone, zero", file("")),
        ("length zero before data", file("", data: 4)),
        ("length 2^63", file(header, data: 4, claimedLength: 1 << 63)),
        ("length all ones", file(header, data: 4, claimedLength: .max)),
        ("length 2^63 - 1", file(header, data: 4, claimedLength: 1 << 63 - 1)),
        ("length 2^32", file(header, data: 4, claimedLength: 1 << 32)),
        ("length over the limit by one", file(header, data: 4, claimedLength: 100_000_001)),
        ("length of the limit in a small file", file(header, data: 4, claimedLength: 100_000_000)),
        ("length one over the file", file(header, claimedLength: size + 1)),
        ("length one over the header", file(header, data: 4, claimedLength: size + 1)),
        ("length one under the header", file(header, data: 4, claimedLength: size - 1)),
        ("length big-endian", size.bigEndianBytes + Array(header.utf8) + [0, 0, 0, 0]),
        ("file cut within the header", Array(whole.prefix(20))),
        ("file cut at the header's last byte", Array(whole.prefix(8 + Int(size) - 1))),
        ("file cut before the data", Array(whole.prefix(8 + Int(size)))),
        ("file cut within the data", Array(whole.dropLast(1))),
        ("one byte after the data", whole + [0]),
        ("data without tensors", file("{}", data: 1)),
    ]
}

private func brokenObjects() -> [Row] {
    let good = "\"a\":\(entry())"
    let deep = String(repeating: "[", count: 100_000)
    return [
        ("header is an array", file("[]")),
        ("header is a string", file("\"a\"")),
        ("header is a number", file("1")),
        ("header is null", file("null")),
        ("header is spaces", file("        ")),
        ("header is NULs", file([UInt8](repeating: 0, count: 8))),
        ("header begins with a space", file(" {\(good)}", data: 4)),
        ("header begins with a byte order mark", file("\u{FEFF}{\(good)}", data: 4)),
        ("header is UTF-16", file("{\(good)}".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }, data: 4)),
        ("header ends after its brace", file("{")),
        ("header is not closed", file("{\(good)", data: 4)),
        ("garbage after the object", file("{\(good)}x", data: 4)),
        ("second object", file("{\(good)}{}", data: 4)),
        ("NUL padding", file("{\(good)}\0\0\0\0", data: 4)),
        ("form feed padding", file("{\(good)}\u{0C}", data: 4)),
        ("extra closing brace", file("{\(good)}}", data: 4)),
        ("trailing comma at the top", file("{\(good),}", data: 4)),
        ("leading comma", file("{,\(good)}", data: 4)),
        ("two commas", file("{\(good),,\"b\":\(entry("[0]", "[4,4]"))}", data: 4)),
        ("missing comma", file("{\(good) \"b\":\(entry("[0]", "[4,4]"))}", data: 4)),
        ("missing colon", file("{\"a\"\(entry())}", data: 4)),
        ("equals sign for a colon", file("{\"a\"=\(entry())}", data: 4)),
        ("missing value", file("{\"a\":}")),
        ("block comment", file("{/* a */\(good)}", data: 4)),
        ("line comment", file("{\(good)}// a", data: 4)),
        ("single quotes", file("{'a':\(entry())}", data: 4)),
        ("key without quotes", file("{a:\(entry())}", data: 4)),
        ("key is a number", file("{1:\(entry())}", data: 4)),
        ("deep arrays for a tensor", one(deep)),
        ("deep objects for a tensor", one(String(repeating: "{\"a\":", count: 100_000))),
        ("deep arrays in a shape", one(entry(deep))),
        ("deep arrays in metadata", file("{\"__metadata__\":{\"k\":\(deep)}}")),
    ]
}

private func brokenStrings() -> [Row] {
    /// A tensor whose name is `name` as raw bytes.
    func named(_ name: [UInt8]) -> [UInt8] {
        file(Array("{\"".utf8) + name + Array("\":\(entry())}".utf8), data: 4)
    }
    func named(_ name: String) -> [UInt8] { named(Array(name.utf8)) }
    return [
        ("lone continuation byte", named([0x80])),
        ("byte FF", named([0xFF])),
        ("cut UTF-8 sequence", named([0xE2, 0x82])),
        ("overlong slash", named([0xC0, 0xAF])),
        ("overlong NUL", named([0xC0, 0x80])),
        ("surrogate in UTF-8", named([0xED, 0xA0, 0x80])),
        ("beyond U+10FFFF in UTF-8", named([0xF4, 0x90, 0x80, 0x80])),
        ("lead byte before an escape", named([0xC3] + Array("\\u00A9".utf8))),
        ("UTF-8 outside a string", file([0x7B, 0xC3, 0xA9, 0x7D])),
        ("line feed in a name", named("a\nb")),
        ("tab in a name", named("a\tb")),
        ("NUL in a name", named([0x61, 0])),
        ("unknown escape", named("\\x41")),
        ("escaped single quote", named("\\'")),
        ("escape of three digits", named("\\u041")),
        ("escape with a sign", named("\\u+041")),
        ("lone high surrogate", named("\\uD83D")),
        ("lone low surrogate", named("\\uDE00")),
        ("high surrogate before a letter", named("\\uD83Dx")),
        ("high surrogate before another escape", named("\\uD83D\\n")),
        ("two high surrogates", named("\\uD83D\\uD83D")),
        ("surrogates the wrong way round", named("\\uDE00\\uD83D")),
        ("name of 31 combining marks", named("a" + String(repeating: "\u{301}\u{327}", count: 15) + "\u{301}")),
        ("name of a million combining marks", named("a" + String(repeating: "\u{301}\u{327}", count: 500_000))),
        ("string is not closed", file("{\"a")),
        ("string ends in a backslash", file("{\"a\\")),
        ("string ends in an escape", file("{\"a\\u00")),
    ]
}

private func repeatedKeys() -> [Row] {
    let empty = entry("[0]", "[0,0]")
    return [
        ("tensor twice", file("{\"a\":\(empty),\"a\":\(empty)}")),
        ("tensor twice, once escaped", file("{\"a\":\(empty),\"\\u0061\":\(empty)}")),
        ("tensor twice, other normal form", file("{\"\u{E9}\":\(empty),\"e\u{301}\":\(empty)}")),
        ("metadata twice", file("{\"__metadata__\":{},\"__metadata__\":{}}")),
        ("metadata key twice", file("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}")),
        ("metadata key twice, once escaped", file("{\"__metadata__\":{\"k\":\"1\",\"\\u006B\":\"1\"}}")),
        ("dtype twice", one("{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}")),
        ("shape twice", one("{\"dtype\":\"U8\",\"shape\":[4],\"shape\":[4],\"data_offsets\":[0,4]}")),
        ("data_offsets twice", one("{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"data_offsets\":[0,4]}")),
    ]
}

private func brokenEntries() -> [Row] {
    [
        ("tensor is null", one("null")),
        ("tensor is an array", one("[]")),
        ("tensor is a string", one("\"U8\"")),
        ("tensor is a number", one("-4")),
        ("tensor is true", one("true")),
        ("tensor is a bare word", one("undefined")),
        ("tensor is empty", one("{}")),
        ("dtype missing", one("{\"shape\":[4],\"data_offsets\":[0,4]}")),
        ("shape missing", one("{\"dtype\":\"U8\",\"data_offsets\":[0,4]}")),
        ("data_offsets missing", one("{\"dtype\":\"U8\",\"shape\":[4]}")),
        ("unknown field", one("{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"x\":1}")),
        ("unknown deep field", one("{\"x\":\(String(repeating: "[", count: 100_000))}")),
        ("field in capitals", one("{\"DTYPE\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}")),
        ("dtype unknown", one(entry(dtype: "\"U9\""))),
        ("dtype empty", one(entry(dtype: "\"\""))),
        ("dtype in small letters", one(entry(dtype: "\"u8\""))),
        ("dtype with a space", one(entry(dtype: "\"U8 \""))),
        ("dtype with a line feed", one(entry(dtype: "\"U8\\n\""))),
        ("dtype is a number", one(entry(dtype: "8"))),
        ("dtype is null", one(entry(dtype: "null"))),
        ("dtype is an array", one(entry(dtype: "[\"U8\"]"))),
        ("trailing comma in a tensor", one("{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],}")),
        ("tensor is not closed", file("{\"a\":{\"dtype\":\"U8\"")),
        ("long field with control characters", one("{\"\(String(repeating: "\\u000A\\u001B", count: 5000))\":1}")),
        ("long name with control characters", file("{\"\(String(repeating: "\\n\\u2028\\u202E", count: 5000))\":1}")),
    ]
}

private func brokenShapes() -> [Row] {
    let ones = { (count: Int) in "[" + repeatElement("1", count: count).joined(separator: ",") + "]" }
    return [
        ("shape is a number", one(entry("4"))),
        ("shape is a string", one(entry("\"4\""))),
        ("shape is null", one(entry("null"))),
        ("shape is an object", one(entry("{}"))),
        ("extent negative", one(entry("[-4]"))),
        ("extent minus zero", one(entry("[-0]", "[0,0]"), data: 0)),
        ("extent a minus", one(entry("[-]"))),
        ("extent with a plus", one(entry("[+4]"))),
        ("extent a fraction", one(entry("[4.0]"))),
        ("extent with an exponent", one(entry("[4e0]"))),
        ("extent with a leading zero", one(entry("[04]"))),
        ("extent 00", one(entry("[00]", "[0,0]"), data: 0)),
        ("extent hexadecimal", one(entry("[0x4]"))),
        ("extent a string", one(entry("[\"4\"]"))),
        ("extent null", one(entry("[null]"))),
        ("extent true", one(entry("[true]"))),
        ("extent an array", one(entry("[[4]]"))),
        ("extent NaN", one(entry("[NaN]"))),
        ("extent 2^63", one(entry("[9223372036854775808]"))),
        ("extent 2^64 + 4", one(entry("[18446744073709551620]"))),
        ("extent of a thousand digits", one(entry("[" + String(repeating: "9", count: 1000) + "]"))),
        ("product 2^64", one(entry("[4294967296,4294967296]", "[0,0]"), data: 0)),
        ("product 2^64 + 4", one(entry("[6148914691236517208,3]"))),
        ("product 2^64 times zero", one(entry("[4294967296,4294967296,0]", "[0,0]"), data: 0)),
        ("zero times product 2^64", one(entry("[0,4294967296,4294967296]", "[0,0]"), data: 0)),
        ("elements fit, bytes overflow", one(entry("[2305843009213693952]", "[0,0]", dtype: "\"F64\""), data: 0)),
        ("rank 65", one(entry(ones(65), "[0,1]"), data: 1)),
        ("rank 100000", one(entry(ones(100_000), "[0,1]"), data: 1)),
        ("trailing comma in a shape", one(entry("[4,]"))),
        ("missing comma in a shape", one(entry("[2 2]"))),
        ("shape is not closed", file("{\"a\":{\"shape\":[4")),
        ("fewer elements than bytes", one(entry("[3]"))),
        ("more elements than bytes", one(entry("[5]"))),
        ("elements larger than bytes", one(entry(dtype: "\"F32\""))),
        ("scalar of four bytes", one(entry("[]"))),
        ("no elements, four bytes", one(entry("[0]"))),
    ]
}

private func brokenOffsets() -> [Row] {
    let two = { (a: String, b: String, data: Int) in file("{\"a\":\(a),\"b\":\(b)}", data: data) }
    return [
        ("offsets a number", one(entry("[4]", "4"))),
        ("offsets null", one(entry("[4]", "null"))),
        ("offsets empty", one(entry("[4]", "[]"))),
        ("offsets of one", one(entry("[4]", "[4]"))),
        ("offsets of three", one(entry("[4]", "[0,4,4]"))),
        ("offsets reversed", one(entry("[4]", "[4,0]"))),
        ("offset negative", one(entry("[4]", "[-4,0]"))),
        ("offset a fraction", one(entry("[4]", "[0,4.5]"))),
        ("offset a string", one(entry("[4]", "[0,\"4\"]"))),
        ("offset 2^63", one(entry("[4]", "[0,9223372036854775808]"))),
        ("offsets at the end of Int", one(entry("[4]", "[9223372036854775803,9223372036854775807]"))),
        ("tensor of 2^62 bytes", one(entry("[4611686018427387904]", "[0,4611686018427387904]"))),
        ("ends beyond the file", one(entry("[5]", "[0,5]"))),
        ("begins beyond the file", one(entry("[4]", "[8,12]"))),
        ("empty tensor beyond the file", one(entry("[0]", "[9,9]"), data: 0)),
        ("first does not begin at 0", one(entry("[4]", "[4,8]"), data: 8)),
        ("data of only the first half", one(entry("[4]", "[0,4]"), data: 8)),
        ("same range twice", two(entry(), entry(), 4)),
        ("overlap by a byte", two(entry(), entry("[4]", "[3,7]"), 7)),
        ("one within the other", two(entry("[8]", "[0,8]"), entry("[2]", "[2,4]"), 8)),
        ("hole of a byte", two(entry(), entry("[4]", "[5,9]"), 9)),
        ("hole, listed backwards", two(entry("[4]", "[5,9]"), entry(), 9)),
        ("empty tensor within another", two(entry(), entry("[0]", "[2,2]"), 4)),
        ("empty tensor in a hole", two(entry(), entry("[0]", "[6,6]"), 8)),
    ]
}

private func brokenMetadata() -> [Row] {
    let metadata = { (value: String) in file("{\"__metadata__\":\(value)}") }
    return [
        ("metadata is null", metadata("null")),
        ("metadata is an array", metadata("[]")),
        ("metadata is a string", metadata("\"a\"")),
        ("metadata is a tensor", metadata(entry("[0]", "[0,0]"))),
        ("metadata value a number", metadata("{\"k\":1}")),
        ("metadata value null", metadata("{\"k\":null}")),
        ("metadata value true", metadata("{\"k\":true}")),
        ("metadata value an object", metadata("{\"k\":{}}")),
        ("metadata value an array", metadata("{\"k\":[\"v\"]}")),
        ("metadata key of 31 combining marks", metadata("{\"\(String(repeating: "\u{301}", count: 31))\":\"\"}")),
        ("metadata value with a line feed", metadata("{\"k\":\"a\nb\"}")),
        ("metadata value not UTF-8", file(Array("{\"__metadata__\":{\"k\":\"".utf8) + [0xFE] + Array("\"}}".utf8))),
        ("metadata value with a lone surrogate", metadata("{\"k\":\"\\uDC00\"}")),
        ("metadata key with a control character", metadata("{\"k\u{1}\":\"v\"}")),
        ("trailing comma in metadata", metadata("{\"k\":\"v\",}")),
        ("metadata is not closed", file("{\"__metadata__\":{\"k\":\"v\"")),
    ]
}

extension UInt64 {
    fileprivate var bigEndianBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> (56 - 8 * $0)) } }
}
