import Foundation
import TestSupport
import Testing

@testable import Attention

/// Calls that fail leave nothing behind: no object of OpenCL, and no memory.
@Suite(.serialized, .enabled(if: FaultRig.absence == nil, "\(FaultRig.absence ?? "")"))
struct FaultLeakTests {
    static let faultedCalls = 10_000

    @Test(.timeLimit(.minutes(5))) func tenThousandFaultedCallsKeepNothing() throws {
        let rig = try FaultRig()
        let device = try rig.open(.cached)
        let kinds = FaultCall.allCases
        let sweeps = try kinds.map { try FaultSweep($0, rig) }
        let faults = try sweeps.map { sweep -> [DriverFault] in
            try sweep.expectHealthy(device)
            let calls = try sweep.calls(on: device)
            // A release that is not made leaks, and that is the loader's doing: made, and said to have failed, it must not.
            return (DriverFault.all(calls) + DriverFault.all(calls, .late))
                .filter { !$0.function.hasPrefix("clRelease") || $0.timing == .late }
        }
        func round(_ count: Int) throws {
            for index in 0..<count {
                let kind = index % kinds.count
                let list = faults[kind]
                let fault = list[(index / kinds.count * 31) % list.count]
                rig.loader.arm(fault.function, call: fault.call, status: fault.status, fault.timing)
                let fallback: FallbackPolicy = index % 2 == 0 ? .never : .automatic
                // With a look at the result, as reading it from the device is a call too.
                _ = try? sweeps[kind].isRight(sweeps[kind].attend(on: device, fallback))
                #expect(rig.loader.disarm() == 1, "\(fault)")
            }
            for sweep in sweeps { try sweep.expectHealthy(device) }
            device.releaseMemory()
        }
        // Pools, plans and the driver's own lists fill up first.
        try round(Self.faultedCalls / 5)
        let objects = rig.loader.live
        let before = Self.residentBytes()
        try round(Self.faultedCalls)
        let grown = Self.residentBytes() - before
        print("» after \(Self.faultedCalls) faulted calls: \(grown / 1024) KiB more than before")
        #expect(rig.loader.live == objects)
        // A sanitizer keeps what was freed, to catch who still uses it.
        let isSanitized = OwnProcess.symbol("__asan_init", (@convention(c) () -> Void).self) != nil
        #expect(grown < 4 << 20 || isSanitized, "\(grown) bytes more than before \(Self.faultedCalls) faulted calls")
    }

    /// Memory of this process that is there, without what the allocator keeps for later.
    private static func residentBytes() -> Int {
        // Only some C libraries have it.
        if let trim = OwnProcess.symbol("malloc_trim", (@convention(c) (Int) -> Int32).self) { _ = trim(0) }
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return 1024 * (Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "") ?? 0)
    }
}
