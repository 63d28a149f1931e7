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
        /// About a thousandth.
        case small
        /// A few numbers, each of them many times; both zeros among them.
        case tied
        /// −∞ alone.
        case closed
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
    ///
    /// - Parameter change: What else is done to it on the host, before it comes to where the case wants it.
    mutating func input(
        _ shape: [Int], gap: Int = 0, _ values: Values = .normal, type: ElementType = .float32,
        change: ((Tensor) throws(AttentionError) -> Void)? = nil
    ) throws(AttentionError) -> Tensor {
        let layout = try Self.layout(shape, gap: gap)
        let host = try Tensor(uninitialized: layout, type)
        host.storage.hostBytes?.initializeMemory(as: UInt8.self, repeating: 0xFF)
        try host.write(numbers(host.count, values))
        try change?(host)
        var arena = try Arena(readOnly: "input", host.storage)
        if isOnDevice { arena = try arena.moved(to: backend) }
        arenas.append(arena)
        return try Tensor(storage: arena.storage, layout: layout, elementType: type)
    }

    /// Memory for a result.
    mutating func output(
        _ shape: [Int], gap: Int = 0, type: ElementType = .float32
    ) throws(AttentionError) -> Tensor {
        try output(shape, gap, type) { (tensor) throws(AttentionError) in }
    }

    /// Memory for a result that holds an operand.
    mutating func operandAndOutput(
        _ shape: [Int], gap: Int = 0, _ values: Values = .normal
    ) throws(AttentionError) -> Tensor {
        let numbers = numbers(shape.reduce(1, *), values)
        return try output(shape, gap, .float32) { (tensor) throws(AttentionError) in try tensor.write(numbers) }
    }

    /// Memory for a result, `fill`ed on the host.
    private mutating func output(
        _ shape: [Int], _ gap: Int, _ type: ElementType, fill: (Tensor) throws(AttentionError) -> Void
    ) throws(AttentionError) -> Tensor {
        let layout = try Self.layout(shape, gap: gap, offset: 16)
        let bytes = (layout.extent.upperBound + 16) * type.byteCount
        var arena = try Arena(output: "output", layout: layout, type, bytes: bytes) { (count) throws(AttentionError) in
            try HostStorage(byteCount: count)
        }
        try fill(Tensor(storage: arena.storage, layout: layout, elementType: type))
        if isOnDevice {
            arena.before = try Arena.contents(arena.storage)
            arena = try arena.moved(to: backend)
        }
        arenas.append(arena)
        return try Tensor(storage: arena.storage, layout: layout, elementType: type)
    }

    private mutating func numbers(_ count: Int, _ values: Values) -> [Double] {
        var numbers = (0..<count).map { _ -> Double in
            switch values {
            case .normal, .odd: random.normal()
            case .large: random.normal() * 1e4
            case .small: random.normal() * 1e-3
            case .tied: [-1, -0.0, 0, 0.5][random.below(4)]
            case .closed: -Double.infinity
            }
        }
        if values == .odd, !numbers.isEmpty {
            numbers[random.below(numbers.count)] = .infinity
            numbers[random.below(numbers.count)] = .nan
        }
        return numbers
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
