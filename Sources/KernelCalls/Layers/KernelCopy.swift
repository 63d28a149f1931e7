import AttentionCore

/// The `copy_layer` of Kernels/common/layer.clh, byte for byte: dimensions that lie behind each other on both sides are one, so that
/// rows are as long as they can be.
public struct KernelCopy: BitwiseCopyable, Sendable {
    public var sizes: (Int64, Int64, Int64, Int64) = (1, 1, 1, 1)
    public var source: Int64
    public var sourceStrides: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)
    public var target: Int64
    public var targetStrides: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)
    public var rows: Int64 = 0
    public var itemRows: Int64 = 1
    public var itemColumns: Int64 = .max

    public init(_ operation: CopyOperation) {
        let (from, to) = (operation.source, operation.target)
        source = Int64(from?.layout.offset ?? 0)
        target = Int64(to.layout.offset)
        set(0, to, from, 0)
        // Entries are looked up along the first dimension, which then has to stay what it is.
        var last = 0
        for axis in stride(from: 1, to: to.rank, by: 1) {
            let isFixed = operation.entries != nil && last == 0
            if !isFixed, continues(last, to, from, axis) {
                let size = self[last].size * Int64(to.shape[axis])
                set(last, to, from, axis)
                self[last].size = size
            } else {
                last += 1
                set(last, to, from, axis)
            }
        }
        // The last dimension is the row; with entries the first one is counted by itself.
        if last < 3, operation.entries == nil || last > 0 { moveToEnd(last) }
        rows = sizes.0 * sizes.1 * sizes.2
    }

    /// Deals rows, or parts of long ones, out to work-items that copy some ten thousand elements each: how many there are along the
    /// rows and along the parts of a row.
    public mutating func divide(computeUnits: Int) -> (rows: Int, columns: Int) {
        let most: Int64 = 16_384
        itemColumns = max(min(most, sizes.3), 1)
        let shared = (rows + Int64(4 * computeUnits) - 1) / Int64(4 * computeUnits)
        itemRows = max(min(most / itemColumns, shared), 1)
        return (Int((rows + itemRows - 1) / itemRows), Int((sizes.3 + itemColumns - 1) / itemColumns))
    }

    private struct Axis {
        var size, source, target: Int64
    }

    private subscript(index: Int) -> Axis {
        get {
            switch index {
            case 0: Axis(size: sizes.0, source: sourceStrides.0, target: targetStrides.0)
            case 1: Axis(size: sizes.1, source: sourceStrides.1, target: targetStrides.1)
            case 2: Axis(size: sizes.2, source: sourceStrides.2, target: targetStrides.2)
            default: Axis(size: sizes.3, source: sourceStrides.3, target: targetStrides.3)
            }
        }
        set {
            switch index {
            case 0: (sizes.0, sourceStrides.0, targetStrides.0) = (newValue.size, newValue.source, newValue.target)
            case 1: (sizes.1, sourceStrides.1, targetStrides.1) = (newValue.size, newValue.source, newValue.target)
            case 2: (sizes.2, sourceStrides.2, targetStrides.2) = (newValue.size, newValue.source, newValue.target)
            default: (sizes.3, sourceStrides.3, targetStrides.3) = (newValue.size, newValue.source, newValue.target)
            }
        }
    }

    private mutating func set(_ index: Int, _ to: Tensor, _ from: Tensor?, _ axis: Int) {
        self[index] = Axis(
            size: Int64(to.shape[axis]), source: Int64(from?.strides[axis] ?? 0), target: Int64(to.strides[axis]))
    }

    /// Whether `axis` lies within each step of dimension `index`, on both sides.
    private func continues(_ index: Int, _ to: Tensor, _ from: Tensor?, _ axis: Int) -> Bool {
        let outer = self[index]
        let size = Int64(to.shape[axis])
        let isOne = outer.size == 1
        return isOne
            || outer.target == Int64(to.strides[axis]) &* size
                && (from.map { outer.source == Int64($0.strides[axis]) &* size } ?? true)
    }

    private mutating func moveToEnd(_ last: Int) {
        let row = self[last]
        self[last] = Axis(size: 1, source: 0, target: 0)
        self[3] = row
    }
}
