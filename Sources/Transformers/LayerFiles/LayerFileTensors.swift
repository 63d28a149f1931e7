import Attention
import TensorFiles

/// The tensors of a layer file: `weights.…`, `inputs.…` and expected `outputs.…`, none of another name.
struct LayerFileTensors {
    let file: TensorFile

    func error(
        _ name: String, _ kind: CheckpointError.Kind = .invalidValue, expected: String, found: String
    ) -> CheckpointError {
        CheckpointError(kind, file: file.name, place: MessageText.tensor(name), expected: expected, found: found)
    }

    /// The parameters, checked to be those of the layer.
    func parameters(_ shapes: [ParameterShape]) throws -> Parameters {
        let checkpoint = Checkpoint(file: file)
        try checkpoint.check(
            shapes.within("weights").expected, allowing: [.beginning("inputs."), .beginning("outputs.")])
        return Parameters(checkpoint)["weights"]
    }

    /// Refuses inputs and outputs that the layer does not have.
    func checkNames(inputs: [String], outputs: [String], hasWeights: Bool) throws(CheckpointError) {
        let known = Set(inputs.map { "inputs.\($0)" } + outputs.map { "outputs.\($0)" })
        let extra = file.entries.map(\.name).filter {
            !known.contains($0) && !(hasWeights && $0.utf8.starts(with: "weights.".utf8))
        }
        guard extra.isEmpty else {
            throw CheckpointError(file: file.name, missing: [], extra: extra, misshapen: [])
        }
    }

    /// An input of numbers as `float32`, with its rank checked; `nil` if there is none.
    func optional(_ name: String, ranks: ClosedRange<Int>) throws -> Tensor? {
        guard let entry = file["inputs.\(name)"] else { return nil }
        guard let tensor = try tensor(entry), tensor.elementType.isFloatingPoint else {
            throw error(entry.name, expected: "F32, F16, BF16 or F64", found: entry.elementType.rawValue)
        }
        return try checked(tensor, ranks, entry).converted(to: .float32)
    }

    func tensor(_ name: String, rank: Int) throws -> Tensor { try tensor(name, ranks: rank...rank) }

    func tensor(_ name: String, ranks: ClosedRange<Int>) throws -> Tensor {
        if let tensor = try optional(name, ranks: ranks) { return tensor }
        throw CheckpointError(file: file.name, missing: ["inputs.\(name)"], extra: [], misshapen: [])
    }

    /// A mask, of booleans or numbers.
    func mask(_ name: String, ranks: ClosedRange<Int>) throws -> Tensor? {
        guard let entry = file["inputs.\(name)"] else { return nil }
        guard let tensor = try tensor(entry), tensor.elementType == .bool || tensor.elementType.isFloatingPoint else {
            throw error(entry.name, expected: "BOOL, or a float type", found: entry.elementType.rawValue)
        }
        return try checked(tensor, ranks, entry)
    }

    /// A vector of whole numbers.
    func integers(_ name: String) throws -> [Int]? {
        guard let entry = file["inputs.\(name)"] else { return nil }
        guard let tensor = try tensor(entry), [.int32, .int64].contains(tensor.elementType) else {
            throw error(entry.name, expected: "I32 or I64", found: entry.elementType.rawValue)
        }
        var numbers: [Int] = []
        for value in try checked(tensor, 1...1, entry).doubles() {
            guard let number = Int(exactly: value), abs(value) < 0x1p53 else {
                throw error(entry.name, expected: "whole numbers within 53 bits", found: "\(value)")
            }
            numbers.append(number)
        }
        return numbers
    }

    private func checked(
        _ tensor: Tensor, _ ranks: ClosedRange<Int>, _ entry: TensorFileEntry
    ) throws(CheckpointError) -> Tensor {
        guard ranks.contains(tensor.rank) else {
            let range = ranks.count == 1 ? "\(ranks.lowerBound)" : "\(ranks.lowerBound) to \(ranks.upperBound)"
            throw error(entry.name, expected: "rank \(range)", found: "shape \(tensor.shape)")
        }
        return tensor
    }

    /// `nil` for element types that the library does not have.
    private func tensor(_ entry: TensorFileEntry) throws -> Tensor? {
        // A tensor without elements may claim any other extents, and memory is taken for some of them: lengths, starts.
        if let large = entry.shape.first(where: { $0 > LayerFile.largestSize }) {
            throw error(entry.name, expected: "extents of at most \(LayerFile.largestSize)", found: "\(large)")
        }
        let type: ElementType
        switch entry.elementType {
        case .float64: type = .float64
        case .float32: type = .float32
        case .float16: type = .float16
        case .bfloat16: type = .bfloat16
        case .bool: type = .bool
        case .int32: type = .int32
        case .int64: type = .int64
        default: return nil
        }
        let bytes: [UInt8]
        do throws(TensorFileError) { bytes = try file.bytes(of: entry.name) } catch { throw CheckpointError(error) }
        if type == .bool, let odd = bytes.first(where: { $0 > 1 }) {
            throw error(entry.name, expected: "booleans of 0 or 1", found: "\(odd)")
        }
        return try Tensor(bytes: bytes, shape: entry.shape, elementType: type)
    }
}
