import COpenCL

/// Reads the properties of one object through its `clGet…Info` function.
struct InfoReader {
    let library: OpenCLLibrary
    let function: Function<FunctionTable.Info>
    let object: OpaquePointer

    /// A property of fixed size, read over `initial`, which gives the type.
    func value<Value: BitwiseCopyable>(_ parameter: Int32, _ initial: Value) throws(OpenCLError) -> Value {
        let call = try library(function)
        var result = initial
        let status = withUnsafeMutableBytes(of: &result) {
            call(object, cl_uint(bitPattern: parameter), $0.count, $0.baseAddress, nil)
        }
        try library.check(status, function, "reading property \(hexadecimal(parameter))")
        return result
    }

    /// As ``value(_:_:)``, but a device too old to know the property answers with `fallback`.
    func optional<Value: BitwiseCopyable>(_ parameter: Int32, _ fallback: Value) -> Value {
        do { return try value(parameter, fallback) } catch { return fallback }
    }

    func handle(_ parameter: Int32) throws(OpenCLError) -> OpaquePointer? {
        OpaquePointer(bitPattern: try value(parameter, 0 as Int))
    }

    /// A property of variable length.
    func array<Element: BitwiseCopyable>(_ parameter: Int32, of zero: Element) throws(OpenCLError) -> [Element] {
        let call = try library(function)
        let name = cl_uint(bitPattern: parameter)
        var size = 0
        try library.check(call(object, name, 0, nil, &size), function, "sizing property \(hexadecimal(parameter))")
        let stride = MemoryLayout<Element>.stride
        guard size >= stride, size < 1 << 30 else { return [] }
        var result = [Element](repeating: zero, count: size / stride)
        let status = result.withUnsafeMutableBytes { call(object, name, $0.count, $0.baseAddress, nil) }
        try library.check(status, function, "reading property \(hexadecimal(parameter))")
        return result
    }

    func string(_ parameter: Int32) throws(OpenCLError) -> String {
        let bytes = try array(parameter, of: 0 as UInt8)
        return text(bytes)
    }

    func optionalString(_ parameter: Int32) -> String {
        do { return try string(parameter) } catch { return "" }
    }
}

/// Text from a C buffer: up to its first zero, without the blanks some drivers pad with.
func text(_ bytes: [UInt8]) -> String {
    var content = bytes.prefix { $0 != 0 }[...]
    while let last = content.last, last == 0x20 || last == 0x0A { content.removeLast() }
    while let first = content.first, first == 0x20 || first == 0x0A { content.removeFirst() }
    return String(decoding: content, as: UTF8.self)
}

private func hexadecimal(_ parameter: Int32) -> String { "0x" + String(parameter, radix: 16, uppercase: true) }
