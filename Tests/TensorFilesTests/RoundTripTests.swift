import TensorFiles
import Testing

@Suite("Round trip")
struct RoundTripTests {
    static let tensors =
        TensorFileElementType.allCases.map { content("of \($0.rawValue)", $0, [2, 3, 1]) }
        + TensorFileElementType.allCases.map { content("empty \($0.rawValue)", $0, [4, 0, 2]) }
        + TensorFileElementType.allCases.map { content("scalar \($0.rawValue)", $0, []) }
        + [
            content("", .int8, [1]), content("naïve 😀 \"\\/\u{0}\n\u{7F}\u{2028}", .uint16, [5]),
            content("many extents", .bool, [Int](repeating: 1, count: 64)),
        ]
    static let metadata = [
        "": "", "note": "line\nfeed, tab\t, quote\", backslash\\, NUL\u{0}, bell\u{7}", "ключ": "значение 😀 e\u{301}",
        "config": #"{"type": "x", "n": [1, 2]}"#,
    ]

    private func check(_ file: TensorFile) throws {
        #expect(file.metadata == Self.metadata)
        #expect(file.entries.count == Self.tensors.count)
        for tensor in Self.tensors {
            let entry = try file.entry(named: tensor.name)
            #expect(entry.elementType == tensor.elementType)
            #expect(entry.shape == tensor.shape)
            #expect(entry.byteCount == tensor.bytes.count)
            #expect(entry.elementCount == tensor.shape.reduce(1, *))
            #expect(try file.bytes(of: tensor.name) == tensor.bytes)
        }
    }

    @Test("every type, empty tensors, scalars, odd names and metadata")
    func all() throws {
        let folder = try TemporaryFolder()
        try TensorFile.write(Self.tensors, metadata: Self.metadata, to: folder.file("all"))
        #expect(try folder.contents == ["all"])
        let bytes = try TensorFile.encoded(Self.tensors, metadata: Self.metadata)
        #expect(read(folder.file("all")) == bytes)
        try check(TensorFile(path: folder.file("all")))
        try check(TensorFile(bytes: bytes))
    }

    @Test("the bytes do not depend on the order given")
    func deterministic() throws {
        var generator = SeededGenerator(state: 1)
        let bytes = try TensorFile.encoded(Self.tensors, metadata: Self.metadata)
        for _ in 0..<5 {
            let shuffled = Self.tensors.shuffled(using: &generator)
            let metadata = Dictionary(uniqueKeysWithValues: Self.metadata.shuffled(using: &generator))
            #expect(try TensorFile.encoded(shuffled, metadata: metadata) == bytes)
        }
    }

    @Test("the bytes themselves")
    func golden() throws {
        let bytes = try TensorFile.encoded(
            [
                TensorFileTensor(name: "b", elementType: .uint8, shape: [3], bytes: [1, 2, 3]),
                TensorFileTensor(name: "a", elementType: .float16, shape: [], bytes: [4, 5]),
            ], metadata: ["k": "é\n"])
        let header =
            #"{"__metadata__":{"k":"é\n"},"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]},"#
            + #""b":{"dtype":"U8","shape":[3],"data_offsets":[2,5]}}   "#
        #expect(String(decoding: bytes.dropFirst(8).dropLast(5), as: UTF8.self) == header)
        #expect(Array(bytes.prefix(8)) == [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0])
        #expect(header.utf8.count % 8 == 0)
        #expect(Array(bytes.suffix(5)) == [4, 5, 1, 2, 3])
    }

    @Test("every tensor is aligned to its elements")
    func aligned() throws {
        for length in 0..<9 {
            let extra = content(String(repeating: "x", count: length), .uint8, [1])
            let bytes = try TensorFile.encoded(Self.tensors.filter { $0.name != extra.name } + [extra])
            let file = try TensorFile(bytes: bytes)
            let dataStart = bytes.count - (file.entries.last?.byteRange.upperBound ?? 0)
            #expect(dataStart % 8 == 0)
            #expect(file.entries.allSatisfy { $0.byteRange.lowerBound % $0.elementType.byteCount == 0 })
        }
    }

    @Test("no tensors, no metadata")
    func nothing() throws {
        let bytes = try TensorFile.encoded([])
        #expect(bytes == [8, 0, 0, 0, 0, 0, 0, 0] + Array("{}      ".utf8))
        let file = try TensorFile(bytes: bytes)
        #expect(file.entries.isEmpty && file.metadata.isEmpty && file["a"] == nil)
    }

    @Test("a tensor read in parts, and not beyond its end", arguments: [true, false])
    func parts(fromPath: Bool) throws {
        let folder = try TemporaryFolder()
        let tensor = content("a", .float32, [25])
        try TensorFile.write([tensor, content("b", .int64, [1])], to: folder.file("f"))
        let file =
            try fromPath
            ? TensorFile(path: folder.file("f")) : TensorFile(bytes: #require(read(folder.file("f"))))
        let part = UnsafeMutableRawBufferPointer.allocate(byteCount: 10, alignment: 1)
        defer { part.deallocate() }
        for start in 0...90 {
            try file.read("a", from: start, into: part)
            #expect(part.elementsEqual(tensor.bytes[start..<start + 10]))
        }
        try file.read("a", from: 100, into: UnsafeMutableRawBufferPointer(rebasing: part[..<0]))
        try file.read("a", from: 100, into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
        for start in [91, 100, 101, .max, -1, .min] {
            let error = refusal { () throws(TensorFileError) in try file.read("a", from: start, into: part) }
            #expect(error?.kind == .outOfRange)
        }
        let error = try #require(refusal { () throws(TensorFileError) in _ = try file.bytes(of: "c\n") })
        #expect(error.kind == .noSuchTensor)
        #expect(error.description.hasSuffix(#"tensor "c\u{A}": expected a tensor of that name, found only "b" "a""#))
    }

    @Test("many threads read one file")
    func concurrent() async throws {
        let folder = try TemporaryFolder()
        try TensorFile.write(Self.tensors, to: folder.file("f"))
        let file = try TensorFile(path: folder.file("f"))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for tensor in Self.tensors + Self.tensors {
                group.addTask { try file.bytes(of: tensor.name) == tensor.bytes }
            }
            for try await same in group { #expect(same) }
        }
    }
}
