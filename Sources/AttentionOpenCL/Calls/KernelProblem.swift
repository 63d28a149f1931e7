import AttentionCore

/// The `view` of Kernels/common/problem.clh, byte for byte.
struct KernelView {
    var offset: Int64 = 0
    var batch: Int64 = 0
    var head: Int64 = 0
    var row: Int64 = 0
    var column: Int64 = 0

    init() {}

    /// `view` in a buffer that begins `shift` elements into the storage.
    init(_ view: HeadView, shift: Int = 0) {
        offset = Int64(view.offset - shift)
        batch = Int64(view.batch)
        head = Int64(view.head)
        row = Int64(view.row)
        column = Int64(view.column)
    }
}

/// The `segment` of Kernels/common/problem.clh, byte for byte.
struct KernelSegment {
    var batch: Int32
    var queryStart: Int32
    var queryCount: Int32
    var keyStart: Int32
    var keyCapacity: Int32
    var keyCount: Int32
    var offset: Int32
    var unused2: Int32 = 0

    /// Lengths were checked against ``KernelProblem/lengthLimit``.
    init(_ segment: Segment) {
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
struct KernelProblem {
    var q = KernelView()
    var k = KernelView()
    var v = KernelView()
    var o = KernelView()
    var mask = KernelView()
    var scores = KernelView()
    var logSumExp = KernelView()
    var windowLeft: Int64
    var windowRight: Int64
    var heads: Int32
    var group: Int32
    var depth: Int32
    var columns: Int32
    var causal: Int32
    var maskKeys: Int32
    var firstSegment: Int32 = 0
    var firstHead: Int32 = 0
    var firstTile: Int32 = 0
    var tiles: Int32 = 0
    var keyStride: Int32 = 0
    var allPairs: Int32 = 0
    var keyBlocks: Int32 = 1
    var blockKeys: Int32 = 0
    var blockTiles: Int32 = 1
    var blockColumns: Int32
    var queryStorage: Int32
    var valueStorage: Int32
    /// 4 without a mask.
    var maskStorage: Int32
    var blockShift: Int32
    var scale: Float
    var softcap: Float

    /// Kernels count rows, keys, heads and columns in 32 bits, with room for positions and window bounds beside them.
    static let lengthLimit = 1 << 30

    init(_ problem: AttentionProblem) {
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
        scale = Float(problem.scale)
        softcap = Float(problem.softcap)
    }

    /// Why `shape` is beyond what the kernels count; `nil` if it is not.
    static func refusal(_ shape: AttentionShape) -> String? {
        let sizes = [
            shape.batch, shape.queryHeads, shape.queryLength, shape.keyLength, shape.headDimension,
            shape.valueDimension,
        ]
        guard let large = sizes.first(where: { $0 >= lengthLimit }) else { return nil }
        return "a dimension of \(large) is beyond \(lengthLimit - 1)"
    }
}
