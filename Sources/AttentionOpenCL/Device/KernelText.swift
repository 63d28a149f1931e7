import KernelSources

/// The embedded OpenCL C text, by file name: `scores.cl`, `types.clh`.
public struct KernelText: Sendable {
    /// Entry files, which end in `.cl`.
    public private(set) var sources: [String: String] = [:]
    /// Shared headers, which end in `.clh`.
    public private(set) var headers: [String: String] = [:]

    /// The text as this package ships it.
    public static let embedded = KernelText()

    private init() {
        for index in 0..<kernel_source_count() {
            var length = 0
            guard let name = kernel_source_name(index), let text = kernel_source_text(index, &length) else { continue }
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            self[String(cString: name)] = String(decoding: bytes, as: UTF8.self)
        }
    }

    public subscript(name: String) -> String? {
        get { sources[name] ?? headers[name] }
        set { if name.hasSuffix(".clh") { headers[name] = newValue } else { sources[name] = newValue } }
    }

    /// The same text with some files replaced: how tests prove that a wrong kernel is caught.
    public func replacing(_ files: [String: String]) -> KernelText {
        var copy = self
        for (name, text) in files { copy[name] = text }
        return copy
    }
}
