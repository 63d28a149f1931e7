import TensorFiles
import TestSupport
import Testing

@Suite("Malformed files")
struct MalformedFilesTests {
    static let files = Dictionary(
        malformedTensorFiles().map { ($0.name, $0.bytes) }, uniquingKeysWith: { first, _ in first })

    @Test("every file has one expected refusal")
    func tableIsComplete() {
        let names = malformedTensorFiles().map(\.name)
        #expect(names.count >= 75)
        #expect(Set(names).count == names.count)
        #expect(names.sorted() == ExpectedRefusal.all.map(\.name).sorted())
    }

    @Test("is refused for its own reason", arguments: ExpectedRefusal.all)
    func refused(_ expected: ExpectedRefusal) throws {
        let bytes = try #require(Self.files[expected.name])
        let error = try #require(
            refusal { () throws(TensorFileError) in _ = try TensorFile(bytes: bytes, name: "some file") })
        #expect(error.kind == expected.kind)
        #expect(error.place == expected.place)
        #expect(error.found.hasPrefix(expected.found), "\(error)")
        #expect(error.description.hasPrefix("some file: "))
    }

    @Test("is refused alike from a path")
    func refusedFromPath() throws {
        let folder = try TemporaryFolder()
        for (name, bytes) in malformedTensorFiles() {
            let path = try folder.write(bytes, as: "malformed")
            let fromPath = refusal { () throws(TensorFileError) in _ = try TensorFile(path: path) }
            let fromBytes = refusal { () throws(TensorFileError) in _ = try TensorFile(bytes: bytes, name: path) }
            #expect(fromPath == fromBytes, "\(name)")
        }
    }

    /// What the rows must not drag along: files that look odd and are sound.
    @Test(
        "odd but sound",
        arguments: [
            ("{}", 0), ("{}   ", 0), ("{ \t\r\n}\n", 0), (#"{"__metadata__":{}}"#, 0),
            ("{\"__metadata__\":{\"a\(String(repeating: "\u{301}\u{327}", count: 15))b\u{301}\":\"\"}}", 0),
            (#"{"":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#, 1),
            (#"{"a" : { "data_offsets" : [ 0 , 0 ] , "shape":[ 0 ],"dtype":"F\u0036\u0034" } }"#, 0),
            (
                #"{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#,
                2
            ),
            (
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"z":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}"#,
                4
            ),
            (#"{"\uD83D\uDE00\u0000\/":{"dtype":"U8","shape":[0,9223372036854775807],"data_offsets":[0,0]}}"#, 0),
        ])
    func sound(header: String, data: Int) throws {
        let prefix = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
        let file = try TensorFile(bytes: prefix + header.utf8 + [UInt8](repeating: 7, count: data))
        #expect(file.entries.map(\.byteRange.lowerBound) == file.entries.map(\.byteRange.lowerBound).sorted())
        for entry in file.entries {
            #expect(try file.bytes(of: entry.name) == [UInt8](repeating: 7, count: entry.byteCount))
        }
    }
}
