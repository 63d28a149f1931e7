import Foundation
import OpenCLRuntime
import Locking
import Testing

@Suite(.needsDevice) struct BufferTests {
    @Test(arguments: Machine.subjects)
    func writeFillCopyRead(_ subject: Subject) throws {
        let queue = try subject.queue()
        let a = try Buffer(context: subject.context, byteCount: 64 * 4)
        let b = try Buffer(context: subject.context, byteCount: 64 * 4)
        try a.write((0..<64).map { Int32($0) }, on: queue)
        try b.fill(with: Int32(-1), on: queue)
        try b.fill(with: Int32(5), at: 16, byteCount: 8, on: queue)
        try a.copy(from: 4, byteCount: 8, to: b, at: 240, on: queue)
        try b.copy(from: 240, byteCount: 8, to: b, at: 0, on: queue)
        let result = try b.read(Int32.self, count: 64, on: queue)
        #expect(Array(result[0..<6]) == [1, 2, -1, -1, 5, 5])
        #expect(Array(result[59...]) == [-1, 1, 2, -1, -1])
        #expect(try b.read(Int32.self, count: 0, on: queue) == [])
    }

    @Test(arguments: Machine.subjects)
    func boxes(_ subject: Subject) throws {
        let queue = try subject.queue()
        let a = try Buffer(context: subject.context, byteCount: 4 * 8)
        let b = try Buffer(context: subject.context, byteCount: 3 * 10)
        try a.write((0..<32).map { UInt8($0) }, on: queue)
        try b.fill(with: UInt8(255), on: queue)
        let from = BufferBox(origin: (2, 1, 0), rowPitch: 8, slicePitch: 32)
        let to = BufferBox(origin: (1, 0, 0), rowPitch: 10, slicePitch: 30)
        try a.copyBox((3, 2, 1), from: from, to: b, as: to, on: queue)
        let result = try b.read(UInt8.self, count: 30, on: queue)
        #expect(Array(result[0..<5]) == [255, 10, 11, 12, 255])
        #expect(Array(result[10..<15]) == [255, 18, 19, 20, 255])
        refusal("copying a box") { try a.copyBox((3, 4, 1), from: from, to: b, as: to, on: queue) }
        refusal("form a box") { try a.copyBox((9, 1, 1), from: from, to: b, as: to, on: queue) }
        let far = BufferBox(origin: (0, 0, Int.max), rowPitch: 8, slicePitch: 32)
        refusal("form a box") { try a.copyBox((1, 1, 2), from: far, to: b, as: to, on: queue) }
        refusal("same memory") { try a.copyBox((1, 1, 1), from: from, to: a, as: from, on: queue) }
    }

    @Test(arguments: Machine.subjects)
    func sizesAreChecked(_ subject: Subject) throws {
        let context = subject.context
        let queue = try subject.queue()
        refusal("at least 1") { _ = try Buffer(context: context, byteCount: 0) }
        refusal("at least 1") { _ = try Buffer(context: context, byteCount: -4) }
        refusal("at least 1") {
            _ = try Buffer(context: context, copying: UnsafeRawBufferPointer(start: nil, count: 0))
        }
        #expect(throws: OpenCLError.self) { _ = try Buffer(context: context, byteCount: Int.max) }
        do {
            _ = try Buffer(context: context, byteCount: 1 << 60)
            Issue.record("an exabyte was granted")
        } catch let error {
            guard case .allocationTooLarge(let bytes, let limit, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(bytes == 1 << 60 && limit < bytes && limit > 0)
        }
        let buffer = try Buffer(context: context, byteCount: 16)
        refusal("within the 16") { _ = try buffer.read(UInt8.self, count: 17, on: queue) }
        refusal("within the 16") { _ = try buffer.read(UInt8.self, count: 1, at: 16, on: queue) }
        refusal("within the 16") { _ = try buffer.read(UInt8.self, count: 1, at: -1, on: queue) }
        refusal("within the 16") { _ = try buffer.read(UInt8.self, count: 2, at: Int.max, on: queue) }
        refusal("elements") { _ = try buffer.read(Int64.self, count: Int.max / 4, on: queue) }
        refusal("elements") { _ = try buffer.read(Int64.self, count: -1, on: queue) }
        refusal("within the 16") { try buffer.write([Int64](repeating: 0, count: 3), on: queue) }
        refusal("within the 16") { try buffer.fill(with: 0 as UInt8, at: 8, byteCount: 9, on: queue) }
        refusal("pattern") { try buffer.fill(with: 0 as Int32, at: 2, byteCount: 8, on: queue) }
        refusal("overlap") { try buffer.copy(from: 0, byteCount: 8, to: buffer, at: 4, on: queue) }
        refusal("within the 16") { try buffer.copy(from: 0, byteCount: 8, to: buffer, at: 9, on: queue) }
        refusal("within the 16") { _ = try buffer.map(.read, at: 17, on: queue) }
        for offset in [Int.min, -1, 16, Int.max] {
            refusal("within the 16") { _ = try buffer.map(.read, at: offset, on: queue) }
            refusal("within the 16") { try buffer.fill(with: 0 as UInt8, at: offset, on: queue) }
            refusal("within the 16") { _ = try buffer.part(at: offset, byteCount: 4) }
            refusal("within the 16") { try buffer.copy(from: offset, byteCount: 4, to: buffer, at: 0, on: queue) }
            refusal("within the 16") { try buffer.copy(from: 0, byteCount: Int.max, to: buffer, at: offset, on: queue) }
        }
        let other = try Queue(context: try Context(device: subject.device))
        refusal("another context") { _ = try buffer.read(UInt8.self, count: 1, on: other) }
    }

    @Test(arguments: Machine.subjects)
    func parts(_ subject: Subject) throws {
        let queue = try subject.queue()
        let alignment = subject.device.info.baseAlignmentBytes
        let whole = try Buffer(context: subject.context, byteCount: alignment * 3)
        try whole.fill(with: 1 as UInt8, on: queue)
        let part = try whole.part(at: alignment, byteCount: alignment)
        #expect(part.parent?.buffer === whole && part.parent?.offset == alignment)
        try part.fill(with: 2 as UInt8, on: queue)
        let bytes = try whole.read(UInt8.self, count: alignment * 3, on: queue)
        #expect(bytes[alignment - 1] == 1 && bytes[alignment] == 2 && bytes[2 * alignment - 1] == 2)
        #expect(bytes[2 * alignment] == 1)
        refusal("multiple") { _ = try whole.part(at: 4, byteCount: 4) }
        refusal("within") { _ = try whole.part(at: alignment, byteCount: alignment * 2 + 1) }
        refusal("part itself") { _ = try part.part(at: 0, byteCount: 4) }
        refusal("overlap") { try whole.copy(from: alignment - 4, byteCount: 8, to: part, at: 0, on: queue) }
    }

    @Test(arguments: Machine.subjects)
    func mapping(_ subject: Subject) throws {
        let queue = try subject.queue()
        let buffer = try Buffer(context: subject.context, byteCount: 32, hostVisible: true)
        do {
            let mapping = try buffer.map(.overwrite, on: queue)
            #expect(mapping.bytes.count == 32)
            for index in 0..<32 { mapping.bytes[index] = UInt8(index) }
            // Unmapped where it ends.
        }
        do {
            let mapping = try buffer.map(.readWrite, at: 4, byteCount: 8, on: queue)
            #expect(mapping.bytes[0] == 4)
            mapping.bytes[0] = 99
            try mapping.unmap()
        }
        #expect(try buffer.read(UInt8.self, count: 6, on: queue) == [0, 1, 2, 3, 99, 5])
    }

    @Test(arguments: Machine.subjects)
    func memoryOfTheHost(_ subject: Subject) throws {
        final class Owner: Sendable {
            let pointer = Guarded(UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 4096))
            let gone: Gone
            init(_ gone: Gone) { self.gone = gone }
            deinit {
                pointer.withLock { $0.deallocate() }
                gone.flag.withLock { $0 = true }
            }
        }
        final class Gone: Sendable { let flag = Guarded(false) }

        let gone = Gone()
        let queue = try subject.queue()
        let program = try subject.program("__kernel void twice(__global int *x) { x[get_global_id(0)] *= 2; }")
        guard subject.device.info.hasUnifiedMemory else { return }
        do {
            let owner = Owner(gone)
            let pointer = owner.pointer.withLock { UInt(bitPattern: $0) }
            let raw = try #require(UnsafeMutableRawPointer(bitPattern: pointer))
            raw.initializeMemory(as: Int32.self, repeating: 21, count: 1024)
            refusal("multiple") {
                _ = try Buffer(context: subject.context, sharing: raw + 4, byteCount: 4000, owner: nil)
            }
            let buffer = try Buffer(context: subject.context, sharing: raw, byteCount: 4096, owner: owner)
            try program.launch("twice").buffer(buffer).enqueue(on: queue, global: WorkSize(1024))
            let mapping = try buffer.map(.read, on: queue)
            #expect(mapping.bytes.baseAddress == raw)
            #expect(mapping.bytes.bindMemory(to: Int32.self).allSatisfy { $0 == 42 })
            try mapping.unmap()
            try queue.finish()
        }
        let deadline = Date(timeIntervalSinceNow: 5)
        while !gone.flag.withLock({ $0 }), Date() < deadline { usleep(1000) }
        #expect(gone.flag.withLock { $0 })
    }

    @Test(arguments: Machine.subjects)
    func transfersWithEvents(_ subject: Subject) throws {
        let (one, two) = (try subject.queue(profiling: true), try subject.queue())
        let buffer = try Buffer(context: subject.context, byteCount: 400)
        let source = [Float](repeating: 2.5, count: 100)
        var target = [Float](repeating: 0, count: 100)
        try source.withUnsafeBytes { bytes in
            let written = try buffer.startWriting(bytes, on: one)
            try target.withUnsafeMutableBytes { room in
                // Of another queue: it has to be flushed for us, or some drivers hang.
                try buffer.startReading(into: room, on: two, waitFor: [written]).wait()
            }
            #expect(try written.progress() == .complete)
            let times = try written.times()
            #expect(times.queued <= times.submitted && times.submitted <= times.started && times.started <= times.ended)
        }
        #expect(target == source)
        let marker = try two.marker()
        try marker.wait()
        refusal("without profiling") { _ = try marker.times() }
        let foreign = try Queue(context: try Context(device: subject.device)).marker()
        refusal("another context") { try buffer.fill(with: 0 as UInt8, on: two, waitFor: [foreign]) }
    }
}
