import AttentionCore

// The structures of Kernels/common/layer.clh, byte for byte: all members are stated in the order and sizes of the C text, and none
// leaves a gap. Places are those of the tensors in their storages: a backend that copies an operand elsewhere sets its place anew.

/// `linear_layer`.
public struct KernelLinear: BitwiseCopyable, Sendable {
    public var x: KernelMatrix
    public var w = KernelMatrix()
    public var residual = KernelMatrix()
    public var o: KernelMatrix
    public var bias: Int64 = 0
    public var rows: Int32
    public var columns: Int32
    public var depth: Int32
    public var activation: Int32
    public var storage: Int32
    public var itemTiles: Int32 = 1
    public var itemPanels: Int32 = 1
    public var aligned: Int32 = 0

    public init(_ operation: LinearOperation) {
        let weight = operation.weight.source
        x = KernelMatrix(operation.input)
        w.stride = Int64(operation.inputs)
        if let matrix = operation.residual { residual = KernelMatrix(matrix) }
        o = KernelMatrix(operation.output)
        bias = Int64(operation.bias?.layout.offset ?? 0)
        rows = Int32(operation.rows)
        columns = Int32(operation.outputs)
        depth = Int32(operation.inputs)
        activation = operation.activation.kernelNumber
        storage = weight.elementType.kernelStorage
    }

    /// Marks the operands whose rows begin at multiples of four elements of their buffers.
    public mutating func setAligned() {
        aligned = (x.isAligned ? 1 : 0) | (w.isAligned ? 2 : 0)
    }
}

/// `norm_layer`.
public struct KernelNormalization: BitwiseCopyable, Sendable {
    public var x: KernelMatrix
    public var residual = KernelMatrix()
    public var sum = KernelMatrix()
    public var o: KernelMatrix
    public var weight: Int64
    public var bias: Int64
    public var rows: Int32
    public var columns: Int32
    public var kind: Int32
    public var itemRows: Int32 = 1
    public var epsilon: Float
    public var unused: Int32 = 0

    public init(_ operation: NormalizationOperation) {
        x = KernelMatrix(operation.input)
        if let matrix = operation.residual { residual = KernelMatrix(matrix) }
        if let matrix = operation.sum { sum = KernelMatrix(matrix) }
        o = KernelMatrix(operation.output)
        weight = Int64(operation.weight?.layout.offset ?? 0)
        bias = Int64(operation.bias?.layout.offset ?? 0)
        rows = Int32(operation.rows)
        columns = Int32(operation.columns)
        kind = operation.kind == .rms ? 1 : 0
        epsilon = operation.epsilon
    }
}

/// `embedding_layer`. The indices of all terms follow each other, `[terms][rows]`.
public struct KernelEmbedding: BitwiseCopyable, Sendable {
    public var first: KernelMatrix
    public var second = KernelMatrix()
    public var third = KernelMatrix()
    public var o: KernelMatrix
    public var rows: Int32
    public var columns: Int32
    public var terms: Int32
    public var itemRows: Int32 = 1
    public var storages: (Int32, Int32, Int32) = (0, 0, 0)
    public var scales: (Float, Float, Float) = (0, 0, 0)

    public init(_ operation: EmbeddingOperation) {
        let terms = operation.terms
        first = KernelMatrix(terms[0].table)
        storages.0 = terms[0].table.elementType.kernelStorage
        scales.0 = terms[0].scale
        if terms.count > 1 {
            second = KernelMatrix(terms[1].table)
            storages.1 = terms[1].table.elementType.kernelStorage
            scales.1 = terms[1].scale
        }
        if terms.count > 2 {
            third = KernelMatrix(terms[2].table)
            storages.2 = terms[2].table.elementType.kernelStorage
            scales.2 = terms[2].scale
        }
        o = KernelMatrix(operation.output)
        rows = Int32(operation.rows)
        columns = Int32(operation.columns)
        self.terms = Int32(terms.count)
    }
}

/// `rotary_layer`.
public struct KernelRotary: BitwiseCopyable, Sendable {
    public var x: KernelHeadRows
    public var o: KernelHeadRows
    public var cosines: KernelMatrix
    public var sines: KernelMatrix
    public var heads: Int32
    public var length: Int32
    public var dimension: Int32
    public var pairs: Int32
    public var interleaved: Int32
    public var rows: Int32
    public var itemRows: Int32 = 1
    public var unused: Int32 = 0

    public init(_ operation: RotaryOperation) {
        let shape = operation.input.shape
        x = KernelHeadRows(operation.input)
        o = KernelHeadRows(operation.output)
        cosines = KernelMatrix(operation.cosines)
        sines = KernelMatrix(operation.sines)
        heads = Int32(shape[1])
        length = Int32(shape[2])
        dimension = Int32(shape[3])
        pairs = Int32(operation.pairs)
        interleaved = operation.pairing == .interleaved ? 1 : 0
        rows = Int32(shape[0] * shape[1] * shape[2])
    }
}

/// `pool_layer`.
public struct KernelPooling: BitwiseCopyable, Sendable {
    public var x: KernelMatrix
    public var o: KernelMatrix
    public var sequences: Int32
    public var columns: Int32
    public var kind: Int32
    public var normalized: Int32

    public init(_ operation: PoolingOperation) {
        x = KernelMatrix(operation.input)
        o = KernelMatrix(operation.output)
        sequences = Int32(operation.sequences)
        columns = Int32(operation.columns)
        kind =
            switch operation.kind {
            case .mean: 0
            case .cls: 1
            case .max: 2
            }
        normalized = operation.isNormalized ? 1 : 0
    }
}

/// `select_layer`.
public struct KernelSelection: BitwiseCopyable, Sendable {
    public var x: KernelMatrix
    public var indices: KernelMatrix
    public var values: KernelMatrix
    public var rows: Int32
    public var columns: Int32
    public var count: Int32
    public var unused: Int32 = 0

    public init(_ operation: SelectionOperation) {
        x = KernelMatrix(operation.logits)
        indices = KernelMatrix(operation.indices)
        values = KernelMatrix(operation.values)
        rows = Int32(operation.rows)
        columns = Int32(operation.columns)
        count = Int32(operation.count)
    }
}

/// `additive_layer`.
public struct KernelAdditive: BitwiseCopyable, Sendable {
    public var q: KernelHeadRows
    public var k: KernelHeadRows
    public var v: KernelHeadRows
    public var o: KernelHeadRows
    public var probabilities = KernelHeadRows()
    public var weight: Int64
    public var batch: Int32
    public var queries: Int32
    public var keys: Int32
    public var width: Int32
    public var columns: Int32
    public var unused: Int32 = 0

    public init(_ operation: AdditiveAttentionOperation) {
        q = KernelHeadRows(operation.query)
        k = KernelHeadRows(operation.key)
        v = KernelHeadRows(operation.value)
        o = KernelHeadRows(operation.output)
        if let tensor = operation.probabilities { probabilities = KernelHeadRows(tensor) }
        weight = Int64(operation.weight.layout.offset)
        batch = Int32(operation.batch)
        queries = Int32(operation.queries)
        keys = Int32(operation.keys)
        width = Int32(operation.width)
        columns = Int32(operation.columns)
    }
}
