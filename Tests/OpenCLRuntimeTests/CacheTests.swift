import Foundation
import OpenCLRuntime
import Locking
import Testing

@Suite struct SHA256Tests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func vectors(_ text: String, _ digest: String) {
        #expect(SHA256.digest(of: text).description == digest)
    }

    @Test func aMillion() {
        let digest = SHA256.digest(of: [UInt8](repeating: 0x61, count: 1_000_000))
        #expect(digest.description == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func lengthsAroundABlockDiffer() {
        let digests = (50...70).map { SHA256.digest(of: [UInt8](repeating: 0, count: $0)) }
        #expect(Set(digests).count == digests.count)
        #expect(
            SHA256.digest(of: [UInt8](repeating: 0, count: 64)).description
                == "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b")
    }
}

@Suite struct CacheFolderTests {
    @Test func whereItIs() {
        func folder(_ environment: [String: String]) -> String? {
            ProgramCache.standard { environment[$0] }.folder
        }
        #expect(folder(["ATTEND_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"]) == "/a")
        #expect(folder(["XDG_CACHE_HOME": "/b", "HOME": "/c"]) == "/b/swift-attention")
        #expect(folder(["ATTEND_CACHE": "off", "ATTEND_CACHE_DIR": "/a"]) == nil)
        #expect(folder([:]) == nil)
        #if os(Linux)
            #expect(folder(["XDG_CACHE_HOME": "relative", "HOME": "/c"]) == "/c/.cache/swift-attention")
        #endif
    }

    @Test func nothingThereIsNoError() throws {
        let folder = TemporaryFolder()
        let cache = ProgramCache(folder: folder.file("absent"))
        #expect(try cache.entries() == [])
        #expect(try cache.clear() == 0)
        #expect(!FileManager.default.fileExists(atPath: folder.file("absent")))
    }
}

@Suite(.needsDevice) struct ProgramCacheTests {
    static let text = "__kernel void put(__global int *x) { x[get_global_id(0)] = VALUE; }"

    /// Builds in a context of its own, so that nothing comes from memory, and runs what came.
    func build(
        _ cache: ProgramCache, _ subject: Subject, value: Int64 = 7, device: Device? = nil
    ) throws -> BuildOutcome {
        let context = try Context(device: subject.device)
        let source = try ProgramSource(name: "put.cl", source: Self.text)
        let options = try BuildOptions(definitions: [("VALUE", .integer(value))])
        let (program, outcome) = try cache.program(source, options: options, in: context)
        let queue = try Queue(context: context)
        let buffer = try Buffer(context: context, byteCount: 16)
        try program.launch("put").buffer(buffer).enqueue(on: queue, global: WorkSize(4))
        #expect(try buffer.read(Int32.self, count: 4, on: queue) == [Int32](repeating: Int32(value), count: 4))
        return outcome
    }

    @Test(arguments: Machine.subjects)
    func builtStoredLoadedListedCleared(_ subject: Subject) throws {
        let folder = TemporaryFolder()
        let path = folder.file("made/below")
        let cache = ProgramCache(folder: path)
        #expect(try build(cache, subject) == .compiled(reason: .notFound, notStored: nil))
        #expect(try build(cache, subject) == .cached)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? Int) == 0o700)

        let entries = try cache.entries()
        #expect(entries.count == 1)
        #expect(entries[0].device == subject.device.name)
        #expect(entries[0].key?.flags == "-cl-std=CL1.2 -DVALUE=7")
        #expect(try cache.totalBytes() == entries[0].byteCount && entries[0].byteCount > 100)
        let file = try FileManager.default.attributesOfItem(atPath: path + "/" + entries[0].file)
        #expect((file[.posixPermissions] as? Int) == 0o600)

        let stranger = path + "/notes.txt"
        try "mine".write(toFile: stranger, atomically: true, encoding: .utf8)
        #expect(try cache.clear() == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["notes.txt"])
        #expect(try build(cache, subject) == .compiled(reason: .notFound, notStored: nil))
    }

    @Test(arguments: Machine.subjects)
    func inMemory(_ subject: Subject) throws {
        let context = try Context(device: subject.device)
        let cache = ProgramCache(folder: nil)
        let source = try ProgramSource(name: "put.cl", source: Self.text)
        let options = try BuildOptions(definitions: [("VALUE", 1)])
        let first = try cache.program(source, options: options, in: context)
        #expect(first.outcome == .compiled(reason: .off, notStored: .off))
        let second = try cache.program(source, options: options, in: context)
        #expect(second.outcome == .inMemory && second.program === first.program)
        let other = try cache.program(source, options: try BuildOptions(definitions: [("VALUE", 2)]), in: context)
        #expect(other.program !== first.program)
        #expect(throws: OpenCLError.self) { try cache.program(source, in: context) }
    }

    @Test(arguments: Machine.subjects)
    func manyThreadsBuildOnce(_ subject: Subject) throws {
        let context = try Context(device: subject.device)
        let cache = ProgramCache(folder: nil)
        let source = try ProgramSource(name: "put.cl", source: Self.text)
        let options = try BuildOptions(definitions: [("VALUE", 3)])
        let seen = Guarded<[(ObjectIdentifier, BuildOutcome)]>([])
        onThreads(8) { _ in
            guard let answer = try? cache.program(source, options: options, in: context) else { return }
            seen.withLock { $0.append((ObjectIdentifier(answer.program), answer.outcome)) }
        }
        let answers = seen.withLock { $0 }
        #expect(answers.count == 8)
        #expect(Set(answers.map(\.0)).count == 1)
        #expect(answers.filter { $0.1 != .inMemory }.count == 1)
    }

    /// What can happen to a file, and what the next build then says.
    enum Damage: CaseIterable, Sendable {
        case empty, truncated, cut, flippedPayload, flippedHeader, flippedDigest, longer, otherVersion
        case writableByOthers, foreignOwner, link, folder, otherKey, pipe

        var expected: CacheProblem {
            switch self {
            case .empty, .truncated, .cut: .truncated
            case .flippedPayload, .flippedDigest: .badDigest
            case .flippedHeader, .longer, .otherVersion: .unknownFormat
            case .writableByOthers: .writableByOthers
            case .foreignOwner: .foreignOwner
            case .link, .folder, .pipe: .notRegular
            case .otherKey: .wrongKey
            }
        }
    }

    @Test(arguments: Machine.subjects, Damage.allCases)
    func damageIsSeenBeforeTheDriverSeesTheFile(_ subject: Subject, _ damage: Damage) throws {
        if damage == .foreignOwner, geteuid() != 0 { return }  // only root can give files away
        let folder = TemporaryFolder()
        let cache = ProgramCache(folder: folder.path)
        _ = try build(cache, subject)
        let file = folder.file(try #require(try cache.entries().first).file)
        let url = URL(fileURLWithPath: file)
        var bytes = try Data(contentsOf: url)
        switch damage {
        case .empty: bytes = Data()
        case .truncated: bytes = bytes.prefix(20)
        case .cut: bytes = bytes.dropLast(1)
        case .flippedPayload: bytes[bytes.count - 40] ^= 1
        case .flippedHeader: bytes[0] ^= 1
        case .flippedDigest: bytes[bytes.count - 1] ^= 128
        case .longer: bytes.append(0)
        case .otherVersion: bytes[8] += 1
        default: break
        }
        try bytes.write(to: url)
        let manager = FileManager.default
        switch damage {
        case .writableByOthers: #expect(chmod(file, 0o622) == 0)
        case .foreignOwner: #expect(chown(file, 12345, 12345) == 0)
        case .link:
            try manager.moveItem(atPath: file, toPath: folder.file("elsewhere"))
            try manager.createSymbolicLink(atPath: file, withDestinationPath: folder.file("elsewhere"))
        case .folder:
            try manager.removeItem(atPath: file)
            try manager.createDirectory(atPath: file, withIntermediateDirectories: false)
        case .pipe:
            try manager.removeItem(atPath: file)
            #expect(mkfifo(file, 0o600) == 0)
        case .otherKey:
            _ = try build(cache, subject, value: 8)
            let names = try cache.entries().map { folder.file($0.file) }
            let other = try #require(names.first { $0 != file })
            try manager.removeItem(atPath: file)
            try manager.copyItem(atPath: other, toPath: file)
        default: #expect(chmod(file, 0o600) == 0)
        }
        guard case .compiled(let reason, let notStored) = try build(cache, subject) else {
            Issue.record("a damaged file was loaded")
            return
        }
        #expect(reason == damage.expected)
        if damage == .folder {
            #expect(notStored != nil)
        } else {
            // The bad file is replaced.
            #expect(notStored == nil)
            #expect(try build(cache, subject) == .cached)
        }
    }

    @Test(arguments: Machine.subjects)
    func foldersThatCannotBeUsed(_ subject: Subject) throws {
        let folder = TemporaryFolder()
        func problem(_ path: String) throws -> CacheProblem? {
            guard case .compiled(_, let problem) = try build(ProgramCache(folder: path), subject) else { return nil }
            return problem
        }
        try "a file".write(toFile: folder.file("file"), atomically: true, encoding: .utf8)
        for path in [folder.file("file"), folder.file("file/below")] {
            guard case .folderUnusable = try problem(path) else {
                Issue.record("\(path) was used")
                return
            }
        }
        let shared = folder.file("shared")
        try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: false)
        #expect(chmod(shared, 0o755) == 0)
        #expect(try problem(shared) == .folderNotPrivate(path: shared, reason: "its mode is 755, not 700"))
        let link = folder.file("link")
        #expect(chmod(shared, 0o700) == 0)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: shared)
        #expect(try problem(link) == .folderNotPrivate(path: link, reason: "it is a link"))
        if geteuid() == 0 {
            #expect(chown(shared, 12345, 12345) == 0)
            #expect(try problem(shared) == .folderNotPrivate(path: shared, reason: "it belongs to user 12345"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: shared) == [])
    }

    @Test(arguments: Machine.subjects)
    func eachProgramHasItsFile(_ subject: Subject) throws {
        let folder = TemporaryFolder()
        let cache = ProgramCache(folder: folder.path)
        _ = try build(cache, subject)
        _ = try build(cache, subject, value: 9)
        #expect(try cache.entries().count == 2)
        #expect(try build(cache, subject) == .cached)
        #expect(try build(cache, subject, value: 9) == .cached)
    }
}

@Suite(.needsDevice) struct CacheRecordTests {
    @Test(arguments: Machine.subjects)
    func keptFoundForgotten(_ subject: Subject) throws {
        let folder = TemporaryFolder()
        let cache = ProgramCache(folder: folder.file("made"))
        let key = CacheKey(device: subject.device, flags: "square", source: SHA256.digest(of: "text"))
        #expect(throws: CacheProblem.notFound) { try cache.record(.verdict, key) }
        #expect(try !cache.forget(.verdict, key))
        try cache.keep([1, 2, 3], .verdict, key)
        #expect(try cache.record(.verdict, key) == [1, 2, 3])
        // Another kind, subject or text is another record.
        #expect(throws: CacheProblem.notFound) { try cache.record(.tuning, key) }
        for (flags, text) in [("round", "text"), ("square", "another")] {
            let other = CacheKey(device: subject.device, flags: flags, source: SHA256.digest(of: text))
            #expect(throws: CacheProblem.notFound) { try cache.record(.verdict, other) }
        }
        try cache.keep([4], .verdict, key)
        try cache.keep([5], .tuning, key)
        #expect(try cache.record(.verdict, key) == [4])
        #expect(try cache.entries().map(\.kind.rawValue).sorted() == ["tuning", "verdict"])
        #expect(try cache.forget(.tuning, key))
        #expect(try cache.clear() == 1 && cache.entries().isEmpty)
    }

    @Test(arguments: Machine.subjects)
    func noneWhereTheCacheIsOff(_ subject: Subject) throws {
        let key = CacheKey(device: subject.device, flags: "", source: SHA256.digest(of: ""))
        #expect(throws: CacheProblem.off) { try ProgramCache(folder: nil).keep([1], .verdict, key) }
        #expect(throws: CacheProblem.off) { try ProgramCache(folder: nil).record(.verdict, key) }
    }
}
