import Foundation
import Testing

@testable import Transformers

@Suite("Model folders")
struct ModelFolderTests {
    @Test("only plain names are opened", arguments: ["", ".", "..", "/", "a/b", "../x", "/etc/passwd", "a\0b", "x/.."])
    func names(_ name: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("1", as: "a/b")
        #expect(refusal { _ = try folder.folder.file(name) }?.kind == .pathLeavesFolder)
        #expect(refusal { _ = try folder.folder.existingFile(name) }?.kind == .pathLeavesFolder)
    }

    @Test("links are followed within the folder only")
    func links() throws {
        let outside = try TemporaryFolder()
        try outside.write("1", as: "secret")
        let folder = try TemporaryFolder()
        try folder.write("[2]", as: "real.json")
        func link(_ name: String, to target: String) throws {
            try FileManager.default.createSymbolicLink(atPath: folder.path + "/" + name, withDestinationPath: target)
        }
        try link("inner.json", to: "real.json")
        try link("outer", to: outside.path + "/secret")
        try link("chain", to: "outer")
        try link("up", to: "..")
        try link("dangling", to: "nowhere")
        try link("itself", to: ".")
        #expect(try folder.folder.json("inner.json").array.count == 1)
        for name in ["outer", "chain", "up"] {
            #expect(refusal { _ = try folder.folder.file(name) }?.kind == .pathLeavesFolder, "\(name)")
            #expect(refusal { _ = try folder.folder.folder(name) }?.kind == .pathLeavesFolder, "\(name)")
        }
        #expect(refusal { _ = try folder.folder.file("dangling") }?.kind == .missingFile)
        #expect(refusal { _ = try folder.folder.file("itself") }?.kind == .pathLeavesFolder)
        // A folder whose name begins like this one's is not within it.
        let sibling = folder.path + "-sibling"
        try FileManager.default.createDirectory(atPath: sibling, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: sibling) }
        try link("sibling", to: sibling)
        #expect(refusal { _ = try folder.folder.file("sibling") }?.kind == .pathLeavesFolder)
        // The folder itself may be reached by a link.
        let alias = folder.path + "-alias"
        try FileManager.default.createSymbolicLink(atPath: alias, withDestinationPath: folder.path)
        defer { try? FileManager.default.removeItem(atPath: alias) }
        #expect(try ModelFolder(path: alias).json("real.json").array.count == 1)
    }

    @Test("folders within the folder")
    func nested() throws {
        let folder = try TemporaryFolder()
        try folder.write("[1]", as: "a/b/c.json")
        #expect(try folder.folder.folder("a/b").json("c.json").array.count == 1)
        #expect(try folder.folder.folder("").path == folder.path)
        for path in ["..", "a/..", "a/../..", "/", "a//b", "/etc", "a/./b"] {
            #expect(refusal { _ = try folder.folder.folder(path) }?.kind == .pathLeavesFolder, "\(path)")
        }
        #expect(refusal { _ = try folder.folder.folder("x") }?.kind == .missingFile)
    }

    @Test("what is no folder, and what is no file")
    func kinds() throws {
        let folder = try TemporaryFolder()
        try folder.write("1", as: "file")
        for path in ["", folder.path + "/none", folder.path + "/file", "a\0b"] {
            #expect(refusal { _ = try ModelFolder(path: path) }?.kind == .notAFolder, "\(path.debugDescription)")
        }
        try folder.write("1", as: "sub/file")
        #expect(refusal { _ = try folder.folder.json("sub") }?.kind == .unreadableFile)
        #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
        #expect(refusal { _ = try folder.folder.json("pipe") }?.kind == .unreadableFile)
        #expect(refusal { _ = try folder.folder.json("none") }?.kind == .missingFile)
        #expect(try folder.folder.optionalJSON("none") == nil)
    }

    @Test("memory that is refused is said to be")
    func memory() throws {
        let folder = try TemporaryFolder()
        try folder.write("12345", as: "file")
        let error = refusal { _ = try folder.folder.bytes("file") { $0 != 5 } }
        #expect(error?.kind == .outOfMemory)
        #expect(error?.description.hasSuffix("file: expected memory for 5 bytes, found none") == true)
    }
}
