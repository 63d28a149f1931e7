import Attention
import TensorFiles

/// Reads tensors of one file into the library's types.
struct TensorReader {
    let file: TensorFile

    /// The file's name, fit for printing.
    var shownName: String { Console.oneLine(file.name) }

    func failure(_ tensor: String, _ expected: String, _ found: String) -> CommandFailure {
        let shown = tensor.count > 60 ? String(tensor.prefix(60)) + "…" : tensor
        return CommandFailure(.badInput, "\(shownName): tensor '\(shown)': expected \(expected), found \(found)")
    }

    /// A tensor of floats, or of booleans where they are allowed.
    func tensor(_ entry: TensorFileEntry, allowsBool: Bool) throws -> Tensor {
        guard let type = Self.elementType(entry.elementType), type.isFloatingPoint || (allowsBool && type == .bool)
        else {
            throw failure(
                entry.name, "F16, BF16, F32 or F64" + (allowsBool ? ", or BOOL" : ""), entry.elementType.rawValue)
        }
        let tensor = try library { () throws(AttentionError) in try Tensor(uninitialized: entry.shape, type) }
        guard entry.byteCount > 0, let bytes = tensor.storage.hostBytes else { return tensor }
        try file.read(entry.name, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<entry.byteCount]))
        if type == .bool, let odd = bytes[..<entry.byteCount].first(where: { $0 > 1 }) {
            throw failure(entry.name, "booleans of 0 or 1", "\(odd)")
        }
        return tensor
    }

    /// A vector of whole numbers.
    func integers(_ entry: TensorFileEntry) throws -> [Int] {
        guard entry.elementType == .int32 || entry.elementType == .int64 else {
            throw failure(entry.name, "I32 or I64", entry.elementType.rawValue)
        }
        let bytes = try vector(entry)
        let size = entry.elementType.byteCount
        return bytes.withUnsafeBytes { raw in
            (0..<raw.count / size).map { index in
                size == 4
                    ? Int(Int32(littleEndian: raw.loadUnaligned(fromByteOffset: index * 4, as: Int32.self)))
                    : Int(Int64(littleEndian: raw.loadUnaligned(fromByteOffset: index * 8, as: Int64.self)))
            }
        }
    }

    /// A vector of floats.
    func numbers(_ entry: TensorFileEntry) throws -> [Double] {
        guard let type = Self.elementType(entry.elementType), type.isFloatingPoint else {
            throw failure(entry.name, "F16, BF16, F32 or F64", entry.elementType.rawValue)
        }
        let bytes = try vector(entry)
        return bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return [] }
            return (0..<raw.count / type.byteCount).map { type.load(base, $0) }
        }
    }

    private func vector(_ entry: TensorFileEntry) throws -> [UInt8] {
        guard entry.shape.count == 1 else { throw failure(entry.name, "rank 1", "shape \(entry.shape)") }
        return try file.bytes(of: entry.name)
    }

    private func library<T>(_ body: () throws(AttentionError) -> T) throws -> T {
        do { return try body() } catch { throw CommandFailure(error, file: shownName) }
    }

    /// The library's name for an element type of a file, where it has one.
    static func elementType(_ type: TensorFileElementType) -> ElementType? {
        switch type {
        case .float64: .float64
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .bool: .bool
        case .int32: .int32
        case .int64: .int64
        default: nil
        }
    }

    /// The other way round.
    static func fileType(_ type: ElementType) -> TensorFileElementType {
        switch type {
        case .float64: .float64
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .bool: .bool
        case .int32: .int32
        case .int64: .int64
        }
    }
}

extension Tensor {
    /// This tensor as a file holds it.
    func fileTensor(named name: String) throws -> TensorFileTensor {
        TensorFileTensor(
            name: name, elementType: TensorReader.fileType(elementType), shape: shape, bytes: try contiguousBytes())
    }
}
