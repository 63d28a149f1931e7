import KernelCalls
import OpenCLRuntime

/// How a kernel by work-groups uses sub-groups: the work-items that a device runs in step.
struct SubGroups: Hashable, Sendable {
    /// By what its work-items exchange numbers without local memory, by the numbers of sub_groups.clh.
    enum Exchange: Int, Hashable, Sendable {
        case none = 0
        /// cl_khr_subgroup_shuffle.
        case khronos = 1
        /// cl_intel_subgroups.
        case intel = 2
    }

    /// The size to ask for; `nil` leaves it to the compiler.
    var size: Int?
    var exchange = Exchange.none
    /// On a processor, whose compiler knows no instructions of a GPU.
    var isProcessor = false

    /// Sizes that a policy may give.
    static let space = [
        TileSpace.Size("SUB_GROUP", [0, 4, 8, 16, 32, 64], tried: []),
        TileSpace.Size("EXCHANGE", [0, 1, 2], tried: []),
    ]

    init() {}

    /// What a device takes by itself, a GPU, or what the policy asks for.
    ///
    /// - Parameter isPowerOf2: Whether the number of neighbours with something to exchange is one, so that each knows who they are.
    init(_ profile: DeviceProfile, _ sizes: [String: Int], isPowerOf2: Bool = true) {
        isProcessor = profile.hasFlatMemory
        size = sizes["SUB_GROUP"].map { $0 > 0 ? $0 : nil } ?? profile.roomiestSubGroup
        let wanted = sizes["EXCHANGE"].flatMap { Exchange(rawValue: $0) } ?? profile.exchanges.first ?? .none
        exchange = size != nil && isPowerOf2 ? wanted : .none
    }

    /// Why a device cannot do what the policy asks for; `nil` if it can.
    static func refusal(_ profile: DeviceProfile, _ sizes: [String: Int]) -> String? {
        if let size = sizes["SUB_GROUP"], size > 0, !profile.subGroups.contains(size) {
            let known = profile.subGroups.map(String.init).joined(separator: ", ")
            return "no sub-groups of \(size) can be asked for here" + (known.isEmpty ? "" : ", but of \(known)")
        }
        if let number = sizes["EXCHANGE"], let exchange = Exchange(rawValue: number), exchange != .none {
            guard profile.exchanges.contains(exchange) else { return "work-items exchange nothing by \(exchange) here" }
            guard sizes["SUB_GROUP"] ?? profile.roomiestSubGroup ?? 0 > 0 else {
                return "EXCHANGE needs a SUB_GROUP"
            }
        }
        return nil
    }

    /// By their names in the text, where they are not what every device has.
    var sizes: [String: Int] {
        guard let size else { return [:] }
        return ["SUB_GROUP": size, "EXCHANGE": exchange.rawValue]
    }

    var definitions: [(name: String, value: BuildOptions.Value)] {
        guard let size else { return [] }
        return [
            ("SUB_GROUP", .integer(Int64(size))), ("EXCHANGE", .integer(Int64(exchange.rawValue))),
            ("HAS_FLAT_MEMORY", .integer(isProcessor ? 1 : 0)),
        ]
    }

    /// In words; `nil` if nothing is exchanged.
    var choice: String? {
        guard let size, exchange != .none else { return nil }
        return "sub-groups of \(size) exchange numbers by \(exchange)"
    }
}

extension SubGroups.Exchange: CustomStringConvertible {
    /// The extension.
    var description: String {
        switch self {
        case .none: "nothing"
        case .khronos: "cl_khr_subgroup_shuffle"
        case .intel: "cl_intel_subgroups"
        }
    }
}
