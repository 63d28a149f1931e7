#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The bytes behind tensors, in host memory or on a device.
///
/// Contents are written by uploads and by the call that has a tensor of this storage as output. As with any memory, nobody else
/// may read those bytes while that goes on; calls that only read may share a storage freely.
public protocol TensorStorage: AnyObject, Sendable {
    var byteCount: Int { get }
    /// Where the bytes are, for people: `host` or a device's name.
    var place: String { get }
    /// The bytes, if the host can reach them without a copy.
    var hostBytes: UnsafeMutableRawBufferPointer? { get }
    /// Copies bytes that start at `offset` to the host.
    func download(from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(AttentionError)
    /// Copies bytes from the host to those that start at `offset`.
    func upload(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AttentionError)
}

/// Bytes in host memory, aligned so that devices which share it can use them in place.
///
/// `@unchecked Sendable`: the pointer never changes, and the protocol says who may write behind it and when.
public final class HostStorage: TensorStorage, @unchecked Sendable {
    /// A page: what the pickiest driver wants of memory that it uses in place.
    public static let alignment = 4096
    /// For memory smaller than a page: what drivers report as the alignment of their buffers, and some to spare.
    public static let smallAlignment = 256

    public let byteCount: Int
    public var place: String { "host" }
    public var hostBytes: UnsafeMutableRawBufferPointer? {
        UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    }

    let base: UnsafeMutableRawPointer
    private let owner: (any AnyObject & Sendable)?

    /// New memory. Its contents are undefined.
    ///
    /// - Throws: ``AttentionError/outOfMemory(bytes:device:)`` if the system refuses it.
    public init(byteCount: Int) throws(AttentionError) {
        var pointer: UnsafeMutableRawPointer?
        // Rounded up to whole cache lines, so that a device may read in full vectors up to the end.
        let (padded, overflow) = max(byteCount, 1).addingReportingOverflow(63)
        guard byteCount >= 0, !overflow,
            posix_memalign(&pointer, byteCount >= Self.alignment ? Self.alignment : Self.smallAlignment, padded & ~63)
                == 0, let pointer
        else { throw .outOfMemory(bytes: byteCount, device: "host") }
        self.byteCount = byteCount
        base = pointer
        owner = nil
    }

    /// Memory of the caller's, used in place and kept alive by `owner`.
    public init(wrapping bytes: UnsafeMutableRawBufferPointer, owner: any AnyObject & Sendable) throws(AttentionError) {
        guard let start = bytes.baseAddress else {
            throw .invalid("storage", .bounds, expected: "memory to wrap", found: "a nil pointer")
        }
        base = start
        byteCount = bytes.count
        self.owner = owner
    }

    deinit { if owner == nil { free(base) } }

    public func download(from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(AttentionError) {
        try check(offset, bytes.count)
        guard let target = bytes.baseAddress else { return }
        target.copyMemory(from: base + offset, byteCount: bytes.count)
    }

    public func upload(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AttentionError) {
        try check(offset, bytes.count)
        guard let source = bytes.baseAddress else { return }
        (base + offset).copyMemory(from: source, byteCount: bytes.count)
    }

    private func check(_ offset: Int, _ count: Int) throws(AttentionError) {
        guard offset >= 0, count <= byteCount, offset <= byteCount - count else {
            throw .invalid(
                "storage", .bounds, expected: "a range within \(byteCount) bytes", found: "\(count) bytes at \(offset)")
        }
    }
}
