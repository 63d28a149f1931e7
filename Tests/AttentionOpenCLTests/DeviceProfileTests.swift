import AttentionCore
import Foundation
import OpenCLRuntime
import TestSupport
import Testing

@_spi(Testing) @testable import AttentionOpenCL

/// Plans for devices that are smaller than those at hand.
@Suite struct DeviceProfileTests {
    @Test func limitsAreRead() throws {
        var expected = DeviceLimits()
        (expected.workGroup, expected.localMemory) = (64, 16384)
        #expect(DeviceLimits("work-group=64,local=16384") == expected)
        expected.allocation = 7
        expected.memory = 9
        #expect(DeviceLimits("memory=9,local=16384,allocation=7,work-group=64") == expected)
    }

    @Test(arguments: [
        "", "64", "work-group", "work-group=", "work-group=0", "work-group=-1", "local=16K", "size=4", "local=4,",
    ])
    func whatIsNoLimitIsRefused(_ text: String) {
        #expect(DeviceLimits(text) == nil)
    }

    /// Sub-groups are asked for where the device can give them, and named where it cannot.
    @Test(arguments: Machine.devices.map { Named($0) }) func subGroupsAreThoseOfTheDevice(_ device: Named) throws {
        let backend = try device.candidate.makeBackend(replacingSources: [:])
        let sizes = backend.profile.subGroups
        let problem = try Self.problem(queries: 1, depth: 16, columns: 16)
        func plan(_ tiles: [String: Int]) throws -> PlanExplanation {
            try backend.plan(problem, PlanPolicy(kernel: "decode_split", tiles: tiles)).explanation
        }
        if device.candidate.description.kind == .cpu {
            // What is good for a processor is its compiler's business.
            #expect(try plan([:]).sizes.keys.contains("SUB_GROUP") == false)
        }
        for size in [4, 8, 16, 32, 64] where !sizes.contains(size) {
            #expect(throws: AttentionError.self) { try plan(["SUB_GROUP": size]) }
        }
        #expect(throws: AttentionError.self) { try plan(["SUB_GROUP": 7]) }
        for exchange in [SubGroups.Exchange.khronos, .intel] {
            #expect(throws: AttentionError.self) { try plan(["SUB_GROUP": 0, "EXCHANGE": exchange.rawValue]) }
            guard let size = sizes.first, backend.profile.exchanges.contains(exchange) else { continue }
            let made = try plan(["SUB_GROUP": size, "EXCHANGE": exchange.rawValue])
            #expect(made.sizes["SUB_GROUP"] == size && made.sizes["EXCHANGE"] == exchange.rawValue)
            #expect(made.choices.contains("sub-groups of \(size) exchange numbers by \(exchange)"))
        }
    }

    struct Named: CustomTestStringConvertible {
        let candidate: OpenCLCandidate
        init(_ candidate: OpenCLCandidate) { self.candidate = candidate }
        var testDescription: String { candidate.description.name }
    }

    private static func problem(queries: Int, depth: Int, columns: Int) throws -> AttentionProblem {
        try AttentionProblem(
            AttentionInputs(
                query: Tensor(zeros: [1, 2, queries, depth], elementType: .float32),
                key: Tensor(zeros: [1, 2, 40, depth], elementType: .float32),
                value: Tensor(zeros: [1, 2, 40, columns], elementType: .float32)), AttentionOptions())
    }

    /// What a plan may use of a device.
    struct Small: CustomTestStringConvertible {
        let group: Int
        let local: Int
        let columns: Int
        var testDescription: String { "\(group) work-items, \(local) bytes, \(columns) columns" }
    }

    static let small: [Small] = [16, 32, 64, 128, 256].flatMap { group in
        [16 << 10, 32 << 10].flatMap { local in [64, 128].map { Small(group: group, local: local, columns: $0) } }
    }

    /// PoCL's compiler goes deep for work-groups with barriers: too deep for a sanitizer's threads.
    private static let device = Machine.devices.first { $0.description.platform != "Portable Computing Language" }

    @Test(.enabled(if: device != nil, "no OpenCL device but PoCL"), arguments: small)
    func plansStayWithinLimits(_ small: Small) throws {
        var limits = DeviceLimits()
        (limits.workGroup, limits.localMemory) = (small.group, small.local)
        let backend = try #require(Self.device).makeBackend(replacingSources: [:], limits: limits)
        for (kernel, queries) in [("flash_tiled", 20), ("decode_split", 1)] {
            let problem = try Self.problem(queries: queries, depth: 64, columns: small.columns)
            let plan = try backend.plan(problem, PlanPolicy(kernel: kernel))
            let told = try #require(plan.explanation.choices.first { $0.hasPrefix("local memory: ") })
            let bytes = try #require(told.split(separator: " ").compactMap { Int($0) }.first)
            #expect(bytes <= small.local && bytes > 0)
        }
        for program in backend.builtPrograms {
            var sizes: [String: Int] = [:]
            for flag in program.flags.split(separator: " ") where flag.hasPrefix("-D") {
                let sides = flag.dropFirst(2).split(separator: "=")
                if sides.count == 2, let value = Int(sides[1]) { sizes[String(sides[0])] = value }
            }
            let group = sizes["ITEMS"] ?? (sizes["ITEMS_Q"] ?? 0) * (sizes["ITEMS_C"] ?? 0)
            #expect(group > 0 && group <= small.group, "\(program.flags)")
        }
    }

    @Test(.enabled(if: Machine.devices.first != nil, "no OpenCL device"))
    func aDeviceTooSmallForTilesIsToldSo() throws {
        var limits = DeviceLimits()
        limits.localMemory = 1000
        let backend = try #require(Machine.devices.first).makeBackend(replacingSources: [:], limits: limits)
        let problem = try Self.problem(queries: 20, depth: 8, columns: 8)
        #expect {
            try backend.plan(problem, PlanPolicy(kernel: "flash_tiled"))
        } throws: {
            guard case AttentionError.unsupported(_, let reason) = $0 else { return false }
            return reason.contains("1000 bytes of local memory")
        }
        // By itself it goes on with what needs none.
        #expect(try backend.plan(problem, PlanPolicy(family: "tiled")).explanation.kernel == "staged")
    }

    @Test(.enabled(if: Machine.devices.first != nil, "no OpenCL device"))
    func memoryIsLimitedToo() throws {
        var limits = DeviceLimits()
        (limits.allocation, limits.memory) = (1000, 3000)
        let backend = try #require(Machine.devices.first).makeBackend(replacingSources: [:], limits: limits)
        #expect(backend.memoryLimit == MemoryLimit(allocation: 1000, total: 3000))
        #expect(throws: AttentionError.self) { try backend.makeStorage(byteCount: 1001) }
        _ = try backend.makeStorage(byteCount: 1000)
    }
}
