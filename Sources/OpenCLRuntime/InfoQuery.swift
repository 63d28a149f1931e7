import COpenCL

/// One of the `clGet…Info` functions, applied to its object.
struct InfoQuery {
    let function: String
    let get: (cl_uint, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int

    /// A value of fixed size.
    func value<Value: BitwiseCopyable>(_ name: Int32, _ initial: Value) throws(OpenCLError) -> Value {
        var value = initial
        let status = withUnsafeMutableBytes(of: &value) {
            get(cl_uint(bitPattern: name), $0.count, $0.baseAddress, nil)
        }
        try Status(rawValue: status).check(function, "query 0x\(String(name, radix: 16))")
        return value
    }

    /// A value that this driver may not know.
    func optional<Value: BitwiseCopyable>(_ name: Int32, _ fallback: Value) -> Value {
        (try? value(name, fallback)) ?? fallback
    }

    func bytes(_ name: Int32) throws(OpenCLError) -> [UInt8] {
        var size = 0
        let context = "query 0x\(String(name, radix: 16))"
        try Status(rawValue: get(cl_uint(bitPattern: name), 0, nil, &size)).check(function, context)
        guard size > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: size)
        try Status(rawValue: get(cl_uint(bitPattern: name), size, &bytes, nil)).check(function, context)
        return bytes
    }

    func text(_ name: Int32) throws(OpenCLError) -> String {
        let bytes = try bytes(name).prefix { $0 != 0 }
        let text = String(decoding: bytes, as: UTF8.self)
        // Some drivers pad names with white space.
        return String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
