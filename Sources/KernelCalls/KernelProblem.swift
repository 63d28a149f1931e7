import AttentionCore

/// The `view` of Kernels/common/problem.clh, byte for byte.
public struct KernelView: BitwiseCopyable, Sendable {
    public var offset: Int64 = 0
    public var batch: Int64 = 0
    public var head: Int64 = 0
    public var row: Int64 = 0
    public var column: Int64 = 0

    public init() {}

    /// `view` in a buffer that begins `shift` elements into the storage.
    public init(_ view: HeadView, shift: Int = 0) {
        offset = Int64(view.offset - shift)
        batch = Int64(view.batch)
        head = Int64(view.head)
        row = Int64(view.row)
        column = Int64(view.column)
    }

    /// Whether every row begins at a multiple of `count` elements of its buffer.
    func isAligned(to count: Int64) -> Bool { [offset, batch, head, row].allSatisfy { $0 % count == 0 } }
}

/// The `segment` of Kernels/common/problem.clh, byte for byte.
public struct KernelSegment: BitwiseCopyable, Sendable {
    public var batch: Int32
    public var queryStart: Int32
    public var queryCount: Int32
    public var keyStart: Int32
    public var keyCapacity: Int32
    public var keyCount: Int32
    public var offset: Int32
    public var unused2: Int32 = 0

    /// Lengths were checked against ``KernelProblem/lengthLimit``.
    public init(_ segment: Segment) {
        batch = Int32(segment.batch)
        queryStart = Int32(segment.queryStart)
        queryCount = Int32(segment.queryCount)
        keyStart = Int32(segment.keyStart)
        keyCapacity = Int32(segment.keyCapacity)
        keyCount = Int32(segment.keyCount)
        offset = Int32(segment.offset)
    }
}

/// The `problem` of Kernels/common/problem.clh, byte for byte: all members are stated in the order and sizes of the C text,
/// and none leaves a gap.
public struct KernelProblem: BitwiseCopyable, Sendable {
    public var q = KernelView()
    public var k = KernelView()
    public var v = KernelView()
    public var o = KernelView()
    public var mask = KernelView()
    public var scores = KernelView()
    public var logSumExp = KernelView()
    public var windowLeft: Int64
    public var windowRight: Int64
    public var heads: Int32
    public var group: Int32
    public var depth: Int32
    public var columns: Int32
    public var causal: Int32
    public var maskKeys: Int32
    public var firstSegment: Int32 = 0
    public var firstHead: Int32 = 0
    public var firstTile: Int32 = 0
    public var tiles: Int32 = 0
    public var keyStride: Int32 = 0
    public var allPairs: Int32 = 0
    public var keyBlocks: Int32 = 1
    public var blockKeys: Int32 = 0
    public var blockTiles: Int32 = 1
    public var blockColumns: Int32
    public var queryStorage: Int32
    public var valueStorage: Int32
    /// 4 without a mask.
    public var maskStorage: Int32
    public var blockShift: Int32
    /// 0 where no scores are asked for.
    public var scoreMode: Int32
    public var aligned: Int32 = 0
    public var scale: Float
    public var softcap: Float

    /// Kernels count rows, keys, heads and columns in 32 bits, with room for positions and window bounds beside them.
    public static let lengthLimit = 1 << 30

    public init(_ problem: AttentionProblem) {
        let shape = problem.shape
        let unbounded = Int64(1) << 40
        windowLeft = min(Int64(problem.windowLeft ?? Int.max), unbounded)
        windowRight = min(Int64(problem.windowRight ?? Int.max), unbounded)
        heads = Int32(shape.queryHeads)
        group = Int32(shape.queryHeads / max(shape.keyValueHeads, 1))
        depth = Int32(shape.headDimension)
        columns = Int32(shape.valueDimension)
        causal = problem.isCausal ? 1 : 0
        maskKeys = Int32(problem.maskKeys)
        queryStorage = problem.queryType.kernelStorage
        valueStorage = problem.valueType.kernelStorage
        maskStorage = problem.maskType?.kernelStorage ?? 4
        blockColumns = problem.blockSize > 0 ? Int32(shape.keyLength / problem.blockSize) : 0
        blockShift = problem.blockSize > 0 ? Int32(problem.blockSize.trailingZeroBitCount) : 0
        scoreMode = Int32(problem.scores?.rawValue ?? 0)
        scale = Float(problem.scale)
        softcap = Float(problem.softcap)
    }

    /// Marks the operands whose rows begin at multiples of four elements: ALIGNED_… of Kernels/common/stages.clh.
    public mutating func setAligned() {
        aligned = 0
        for (bit, view) in [q, k, v].enumerated() where view.isAligned(to: 4) { aligned |= 1 << Int32(bit) }
    }

    /// Why `shape` is beyond what the kernels count; `nil` if it is not.
    public static func refusal(_ shape: AttentionShape) -> String? {
        let sizes = [
            shape.batch, shape.queryHeads, shape.queryLength, shape.keyLength, shape.headDimension,
            shape.valueDimension,
        ]
        guard let large = sizes.first(where: { $0 >= lengthLimit }) else { return nil }
        return "a dimension of \(large) is beyond \(lengthLimit - 1)"
    }
}
