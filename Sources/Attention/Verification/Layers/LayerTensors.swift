import AttentionCore

/// Makes the tensors of one layer case: operands between poison, results that start out as NaN between bytes that must stay.
struct LayerTensors {
    /// What an operand's numbers are.
    enum Values {
        case normal
        /// Up to some ten thousand, of any sign.
        case large
        /// Standard normal, but one element is NaN and one infinite.
        case odd
    }

    let backend: any Backend
    /// Whether tensors lie in the backend's memory.
    let isOnDevice: Bool
    var random: SeededGenerator
    private(set) var arenas: [Arena] = []

    init(_ backend: any Backend, isOnDevice: Bool, random: SeededGenerator) {
        self.backend = backend
        self.isOnDevice = isOnDevice
        self.random = random
    }

    /// An operand whose rows are `gap` elements of NaN apart.
    mutating func input(
        _ shape: [Int], gap: Int = 0, _ values: Values = .normal, type: ElementType = .float32
    ) throws(AttentionError) -> Tensor {
        let layout = try Self.layout(shape, gap: gap)
        let host = try Tensor(uninitialized: layout, type)
        host.storage.hostBytes?.initializeMemory(as: UInt8.self, repeating: 0xFF)
        var numbers = (0..<host.count).map { _ in
            values == .large ? random.normal() * 1e4 : random.normal()
        }
        if values == .odd, !numbers.isEmpty {
            numbers[random.below(numbers.count)] = .infinity
            numbers[random.below(numbers.count)] = .nan
        }
        try host.write(numbers)
        var arena = try Arena(readOnly: "input", host.storage)
        if isOnDevice { arena = try arena.moved(to: backend) }
        arenas.append(arena)
        return try Tensor(storage: arena.storage, layout: layout, elementType: type)
    }

    /// Takes what the last operand holds by now for what it has to hold at the end.
    mutating func settle() throws(AttentionError) {
        guard let last = arenas.indices.last else { return }
        arenas[last] = try Arena(readOnly: "input", arenas[last].storage)
    }

    /// Memory for a result.
    mutating func output(
        _ shape: [Int], gap: Int = 0, type: ElementType = .float32
    ) throws(AttentionError) -> Tensor {
        let layout = try Self.layout(shape, gap: gap, offset: 16)
        let bytes = (layout.extent.upperBound + 16) * type.byteCount
        let arena = try Arena(output: "output", layout: layout, type, bytes: bytes) { (count) throws(AttentionError) in
            isOnDevice ? try backend.makeStorage(byteCount: count) : try HostStorage(byteCount: count)
        }
        arenas.append(arena)
        return try Tensor(storage: arena.storage, layout: layout, elementType: type)
    }

    /// A weight matrix as the backend wants it.
    mutating func weight(_ outputs: Int, _ inputs: Int, _ type: ElementType) throws(AttentionError)
        -> any PreparedWeight
    {
        let scale = 1 / Double(max(inputs, 1)).squareRoot()
        let numbers = (0..<outputs * inputs).map { _ in random.normal() * scale }
        return try backend.prepare(weight: Tensor(numbers, shape: [outputs, inputs], elementType: type))
    }

    /// Indices below `bound`.
    mutating func indices(_ count: Int, below bound: Int) -> [Int32] {
        (0..<count).map { _ in Int32(random.below(bound)) }
    }

    private static func layout(_ shape: [Int], gap: Int, offset: Int = 0) throws(AttentionError) -> TensorLayout {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * shape[axis + 1] + (axis == shape.count - 2 ? gap : 0)
        }
        return try TensorLayout(shape: shape, strides: strides, offset: offset)
    }
}
