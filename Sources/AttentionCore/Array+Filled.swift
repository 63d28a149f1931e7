extension Array where Element: BitwiseCopyable {
    /// `value`, `count` times. Shapes without elements may have any extents: Swift's own array would end the process over one.
    ///
    /// - Throws: ``AttentionError/invalid(_:)`` for a size beyond 64 bits, ``AttentionError/outOfMemory(bytes:device:)``.
    package init(filled value: Element, _ count: Int, _ operand: String) throws(AttentionError) {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard count >= 0, !overflow else {
            throw .invalid(operand, .overflow, expected: "a size within 64 bits", found: "\(count) numbers")
        }
        // More than a system has, it gives to nobody.
        _ = try HostStorage(byteCount: bytes)
        self.init(repeating: value, count: count)
    }
}
