import AttentionCore
import OpenCLRuntime

/// What plans know of a device: all of it from what the device reports, none from its name.
struct DeviceProfile: Hashable, Sendable {
    /// Floats in one of the device's vectors: 4 and more call for kernels with a query a lane, less for those of work-groups.
    let nativeWidth: Int
    /// Work-items that a work-group may have in its first dimension.
    let largestGroup: Int
    /// Local memory that a work-group may have.
    let localMemoryBytes: Int
    /// Whether local memory is apart from global memory, so that bringing something there saves anything.
    let hasDedicatedLocalMemory: Bool
    /// How many work-groups run at once.
    let computeUnits: Int
    /// Whether its multiply-adds round once; elsewhere fma() is a long library call.
    let fusesMultiplyAdd: Bool
    /// Whether it multiplies halves, rounding each result to the nearest: what ``Precision/fast`` needs.
    let multipliesHalves: Bool
    /// The size of sub-groups that leaves a work-item the most registers, where a kernel may ask for one; for GPUs alone.
    let roomiestSubGroup: Int?
    /// Sizes of sub-groups that a kernel may ask for, ascending.
    let subGroups: [Int]
    /// By what their work-items can exchange numbers, the best first.
    let exchanges: [SubGroups.Exchange]
    /// Whether one address space holds all pointers, so that kernels can read operands as if they were their own.
    let hasFlatMemory: Bool
    /// False for a simulator that takes the results of vector shuffles for uninitialised memory (Oclgrind 21.10). It is known by the
    /// name of its platform, as it reports itself as any device.
    let hasShuffles: Bool
    let allocationBytes: Int
    let memoryBytes: Int

    init(_ info: DeviceInfo, platform: String, limits: DeviceLimits = .ofEnvironment) {
        let isSimulator = platform.contains("Oclgrind")
        nativeWidth = info.nativeFloatWidth
        largestGroup = max(min(info.maxWorkGroupSize, info.maxWorkItemSizes.first ?? 1, limits.workGroup), 1)
        localMemoryBytes = min(info.localMemoryBytes, limits.localMemory)
        hasDedicatedLocalMemory = info.localMemory == .dedicated
        computeUnits = max(info.computeUnits, 1)
        fusesMultiplyAdd = info.hasFusedMultiplyAdd
        multipliesHalves = info.hasHalf && info.roundsHalfToNearest
        subGroups = info.requirableSubGroups
        // Intel's needs no later OpenCL C.
        exchanges = [SubGroups.Exchange.intel, .khronos].filter { info.extensions.contains($0.description) }
        roomiestSubGroup = info.type.contains(.gpu) ? info.requirableSubGroups.first : nil
        hasFlatMemory = info.type.contains(.cpu) && !info.type.contains(.gpu) && !isSimulator
        hasShuffles = !isSimulator
        allocationBytes = min(info.maxAllocationBytes, limits.allocation)
        memoryBytes = min(info.globalMemoryBytes, limits.memory)
    }

    /// Floats to a vector, of this device or of the family that the caller forces; `nil` for a family that is not there.
    func width(family: String?) -> Int? {
        switch family {
        case nil: nativeWidth
        case "wide": max(nativeWidth, 16)
        case "tiled": 1
        default: nil
        }
    }

    /// The family that plans for it take.
    var family: String { nativeWidth >= 4 ? "wide" : "tiled" }

    var memoryLimit: MemoryLimit { MemoryLimit(allocation: allocationBytes, total: memoryBytes) }
}
