import Testing

@testable import Transformers

@Suite("JSON")
struct JSONTests {
    private func parse(_ text: String) throws -> JSONReader {
        JSONReader(try JSONParser.parse(Array(text.utf8), file: "x.json"), file: "x.json")
    }

    @Test("values of every type")
    func values() throws {
        let json = try parse(
            "\u{FEFF} {\"a\": [1, -2, 0, 1.5, 1e-12, -0, 12345678901234567168], \"b\": {\"c\": [true, false, null]},"
                + #" "s": "\u00e9\ud83d\ude00\"\\\/\b\f\n\r\té", "": {}, "e": []}"# + "\n")
        let numbers = try json.member("a").array
        #expect(try numbers.map { reader in try reader.double } == [1, -2, 0, 1.5, 1e-12, 0, 12345678901234567168])
        #expect(try numbers[1].integer(in: -5...5) == -2)
        #expect(try json.member("s").string == "é😀\"\\/\u{8}\u{C}\n\r\té")
        #expect(try json.member("b").member("c").array[0].bool)
        #expect(try json.member("b").member("c").array[2].isNull)
        #expect(try json.member("").object.isEmpty)
        #expect(try json.optional("none") == nil)
        #expect(try parse("[\"é\", \"e\\u0301\"]").strings.map { $0.unicodeScalars.count } == [1, 2])
    }

    @Test("canonically equivalent keys are two")
    func keys() throws {
        #expect(try parse(#"{"é": 1, "e\u0301": 2}"#).object.count == 2)
    }

    @Test(
        "what is not JSON is refused",
        arguments: [
            "", " ", "{", "[", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "[01]", "[1.]", "[.5]", "[+1]", "[1e]", "[-]",
            "tru", "[nul]", "NaN", "[Infinity]", "[-Infinity]", "1 2", "[1] x", "\"abc", "\"a\nb\"", #""\x""#,
            #""\u12""#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, "{\"a\" 1}", "{\"a\":1 \"b\":2}", "[1 2]", "//",
            "{1:2}", "[\"\\",
        ])
    func syntax(_ text: String) {
        #expect(refusal { _ = try parse(text) }?.kind == .syntax)
    }

    @Test("other refusals, with their kind")
    func refusals() {
        #expect(refusal { _ = try parse(#"{"a": 1, "b": 2, "\u0061": 3}"#) }?.kind == .duplicateKey)
        #expect(refusal { _ = try parse("[1e999]") }?.kind == .invalidValue)
        #expect(refusal { _ = try parse(String(repeating: "[", count: 100_000)) }?.kind == .tooLarge)
        let long = "[" + String(repeating: "0,", count: JSONParser.mostValues) + "0]"
        #expect(refusal { _ = try parse(long) }?.kind == .tooLarge)
        let deep = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        #expect((try? parse(deep)) != nil)
        #expect(refusal { _ = try JSONParser.parse([0x22, 0xFF, 0x22], file: "x") }?.kind == .syntax)
    }

    @Test("an error tells the file, the key path, what was expected and what came")
    func places() throws {
        let json = try parse(#"{"a": {"b": [1, "x", {"c d": null}]}}"#)
        let elements = try json.member("a").member("b").array
        #expect(
            refusal { _ = try elements[1].double }?.description == "x.json: a.b[1]: expected a number, found a string")
        #expect(
            refusal { _ = try elements[2].member("c d") }?.description
                == "x.json: a.b[2]: expected the key \"c d\", found null")
        #expect(refusal { _ = try elements[0].integer(in: 2...3) }?.kind == .invalidValue)
        #expect(refusal { _ = try elements[0].string }?.kind == .wrongType)
        #expect(refusal { _ = try json.member("a").array }?.place == "a")
        #expect(refusal { _ = try json.member("a").bool("b", default: true) }?.place == "a.b")
        #expect(refusal { _ = try json.member("a").member("b").strings }?.place == "a.b[0]")
        #expect(refusal { _ = try elements[1].choice(["y": 1]) }?.kind == .unsupported)
    }

    @Test("any bytes at all end in a value or an error", arguments: [1, 2])
    func anyBytes(_ seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        let whole = Array(#"{"a": [1, -2.5e3, true, null, "\u00e9\ud83d\ude00x"], "b": {"c": "é"}}"#.utf8)
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = bytes.indices.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
                }
                if bytes.isEmpty { break }
            }
            do throws(CheckpointError) {
                _ = try JSONParser.parse(bytes, file: "x")
            } catch {
                #expect(!error.description.unicodeScalars.contains { $0.value < 0x20 }, "seed \(seed)")
            }
        }
    }
}
