import Testing

@testable import AttentionCore

/// Memory that the host cannot reach, as a device's.
private final class FarStorage: TensorStorage {
    let host: HostStorage
    var byteCount: Int { host.byteCount }
    let place = "far"
    let hostBytes: UnsafeMutableRawBufferPointer? = nil

    init(byteCount: Int) throws(AttentionError) { host = try HostStorage(byteCount: byteCount) }

    func download(from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(AttentionError) {
        try host.download(from: offset, into: bytes)
    }
    func upload(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AttentionError) {
        try host.upload(bytes, at: offset)
    }
}

extension FarStorage: @unchecked Sendable {}

@Suite struct TensorTests {
    private let counting = (0..<24).map { Float($0) }

    @Test func viewsShareAndReorder() throws {
        let tensor = try Tensor(counting, shape: [2, 3, 4])
        let turned = try tensor.permuted([2, 0, 1])
        #expect(turned.shape == [4, 2, 3] && turned.storage === tensor.storage)
        #expect(try turned.floats().prefix(6) == [0, 4, 8, 12, 16, 20])
        let part = try tensor.sliced(axis: 1, 1..<3).sliced(axis: 2, 3..<4)
        #expect(try part.floats() == [7, 11, 19, 23])
        #expect(try tensor.sliced(axis: 0, 1..<1).doubles().isEmpty)
        let reversed = try tensor.viewed(shape: [24], strides: [-1], offset: 23)
        #expect(try reversed.floats() == counting.reversed())
        #expect(try reversed.contiguousBytes() == Tensor(counting.reversed(), shape: [24]).contiguousBytes())
    }

    @Test func wrongViewsAreRefused() throws {
        let tensor = try Tensor(counting, shape: [2, 3, 4])
        #expect(throws: AttentionError.self) { try tensor.permuted([0, 1]) }
        #expect(throws: AttentionError.self) { try tensor.permuted([0, 1, 1]) }
        #expect(throws: AttentionError.self) { try tensor.sliced(axis: 3, 0..<1) }
        #expect(throws: AttentionError.self) { try tensor.sliced(axis: 1, 2..<4) }
        #expect(throws: AttentionError.self) { try tensor.sliced(axis: 1, -1..<2) }
        #expect(throws: AttentionError.self) { try tensor.viewed(shape: [25], strides: [1]) }
        #expect(throws: AttentionError.self) { try tensor.viewed(shape: [2], strides: [1], offset: 23) }
        #expect(throws: AttentionError.self) { try Tensor(counting, shape: [5, 5]) }
        #expect(throws: AttentionError.self) { try Tensor(bytes: [1, 2, 3], shape: [1], elementType: .float32) }
    }

    @Test func headsAreSplit() throws {
        let tensor = try Tensor(counting, shape: [2, 3, 4])
        let heads = try tensor.splitIntoHeads(2)
        #expect(heads.shape == [2, 2, 3, 2])
        #expect(try heads.floats().prefix(6) == [0, 1, 4, 5, 8, 9])
        #expect(throws: AttentionError.self) { try tensor.splitIntoHeads(3) }
    }

    @Test func farMemoryIsBroughtAndWritten() throws {
        let far = try FarStorage(byteCount: 24 * 4)
        let whole = try Tensor(storage: far, layout: TensorLayout(contiguous: [24]), elementType: .float32)
        try whole.write(counting.map { Double($0) })
        let part = try whole.viewed(shape: [2, 3], strides: [8, -2], offset: 10)
        #expect(try part.onHost().storage.hostBytes != nil && part.onHost().doubles() == [10, 8, 6, 18, 16, 14])
        #expect(try part.floats() == [10, 8, 6, 18, 16, 14])
        #expect(try whole.sliced(axis: 0, 5..<9).floats() == [5, 6, 7, 8])
        try part.write([-1, -2, -3, -4, -5, -6])
        var expected = counting
        for (index, place) in [10, 8, 6, 18, 16, 14].enumerated() { expected[place] = -Float(index + 1) }
        #expect(try whole.floats() == expected)
    }

    @Test func bytesOfAnyTypeRoundTrip() throws {
        for type in ElementType.allCases {
            let bytes = (0..<UInt8(6 * type.byteCount)).map { type == .bool ? $0 & 1 : $0 }
            let tensor = try Tensor(bytes: bytes, shape: [2, 3], elementType: type)
            #expect(try tensor.contiguousBytes() == bytes)
            #expect(try tensor.permuted([1, 0]).permuted([1, 0]).contiguousBytes() == bytes)
        }
    }
}
