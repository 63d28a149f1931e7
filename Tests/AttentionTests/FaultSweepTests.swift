import TestSupport
import Testing

@testable import Attention

/// Every function of OpenCL that attention calls fails, with every status, at its first, second and last call: the fallback
/// gives the right answer, or a typed error names function and status. Nothing crashes or takes 5 s, and the next call is well.
@Suite(.serialized, .enabled(if: FaultRig.absence == nil, "\(FaultRig.absence ?? "")"))
struct FaultSweepTests {
    /// One loader for all of the suite; its tests run one after another.
    static let rig = Result { try FaultRig() }

    /// The calls of which programs are built anew: the others use the same.
    static let building: [FaultCall] = [.fused, .staged, .past, .paged]

    /// A device that has run such calls before: its programs, kernels and queue are there.
    @Test(.timeLimit(.minutes(5)), arguments: FaultCall.allCases, FaultyLoader.Timing.allCases)
    func callsOnADeviceThatWorked(_ kind: FaultCall, _ timing: FaultyLoader.Timing) throws {
        let sweep = try FaultSweep(kind, try Self.rig.get())
        let device = try sweep.rig.open(.cached)
        try sweep.expectHealthy(device)
        let calls = try sweep.calls(on: device)
        var faults = DriverFault.all(calls, timing)
        // Call 0 is every call: the device is dead.
        faults += calls.keys.sorted().flatMap { function in
            [-5, -36].map { DriverFault(function, call: 0, status: $0, timing) }
        }
        // Kernels that were taken and end in an error.
        faults += DriverFault.all([FaultyLoader.event: try #require(calls["clEnqueueNDRangeKernel"])])
        for fault in faults {
            for fallback in [FallbackPolicy.automatic, .never] {
                try sweep.run(fault, on: device, fallback, harmless: FaultSweep.harmless)
                try sweep.expectHealthy(device)
            }
        }
    }

    /// A device that has no program yet: kernels come from the cache on disk, and what is done with them comes for the first time.
    @Test(.timeLimit(.minutes(5)), arguments: building)
    func firstCalls(_ kind: FaultCall) throws {
        let sweep = try FaultSweep(kind, try Self.rig.get())
        try sweep.expectHealthy(try sweep.rig.open(.cached))
        let first = try sweep.rig.open(.cached)
        let cold = try sweep.calls(on: first)
        let warm = try sweep.calls(on: first)
        // What a call does each time is swept above.
        for (index, fault) in DriverFault.all(cold.filter { warm[$0.key] == nil }).enumerated() {
            let policies = [FallbackPolicy.automatic, .never]
            // Programs take their time: kinds with several have one policy for each fault.
            for fallback in kind == .fused ? policies : [policies[index % 2]] {
                let device = try sweep.rig.open(.cached)
                try sweep.run(fault, on: device, fallback, harmless: FaultSweep.harmless.union(["clBuildProgram"]))
                try sweep.expectHealthy(device)
            }
        }
    }

    /// Programs from their text. A cache that cannot be written is no failure.
    @Test(.timeLimit(.minutes(5)), arguments: [FaultCall.fused])
    func builds(_ kind: FaultCall) throws {
        let sweep = try FaultSweep(kind, try Self.rig.get())
        for (programs, functions) in [
            (FaultRig.Programs.compiled, ["clCreateProgramWithSource", "clBuildProgram"]),
            (.compiledAndStored, ["clGetProgramInfo"]),
        ] {
            let calls = try sweep.calls(on: try sweep.rig.open(programs)).filter { functions.contains($0.key) }
            #expect(Set(calls.keys) == Set(functions))
            for fault in DriverFault.all(calls) {
                for fallback in [FallbackPolicy.automatic, .never] {
                    let device = try sweep.rig.open(programs)
                    try sweep.run(fault, on: device, fallback, harmless: FaultSweep.harmless)
                    if fault.status == DriverFault.statuses[0] { try sweep.expectHealthy(device) }
                }
            }
        }
    }

    /// Giving a device back fails: nobody hears of it, and the next one is well.
    @Test(.timeLimit(.minutes(5))) func releases() throws {
        let sweep = try FaultSweep(.fused, try Self.rig.get())
        func usedDevice() throws -> Device {
            let device = try sweep.rig.open(.cached)
            try sweep.expectHealthy(device)
            return device
        }
        var device: Device? = try usedDevice()
        withExtendedLifetime(device) {}
        for fault in DriverFault.all(sweep.rig.loader.calls { device = nil }) {
            device = try usedDevice()
            sweep.rig.loader.arm(fault.function, call: fault.call, status: fault.status)
            device = nil
            #expect(sweep.rig.loader.disarm() == 1, "\(fault)")
        }
        _ = try usedDevice()
    }

    /// What of OpenCL attention does not call, and why.
    static let neverCalled: [String: String] = [
        "clCreateCommandQueueWithProperties": "only where the loader lacks clCreateCommandQueue",
        "clRetainContext": "for a caller's own context", "clGetContextInfo": "as above",
        "clRetainCommandQueue": "for a caller's own queue", "clGetCommandQueueInfo": "as above",
        "clRetainMemObject": "for a caller's own buffer", "clGetMemObjectInfo": "as above",
        "clCreateSubBuffer": "calls use whole buffers", "clEnqueueFillBuffer": "kernels write all of their outputs",
        "clEnqueueCopyBuffer": "past and new keys are put together by a kernel", "clEnqueueCopyBufferRect": "as above",
        "clEnqueueMarkerWithWaitList": "queues are in order and waited for as a whole",
        "clCreateSubDevices": "for parts of a device that somebody asks for", "clReleaseDevice": "as above",
        "clGetProgramBuildInfo": "only after a build that failed: below",
    ]

    @Test func everyFunctionIsCalledOrKnown() throws {
        let rig = try FaultRig()
        _ = try rig.select(.automatic, fallback: nil)
        for kind in FaultCall.allCases {
            let sweep = try FaultSweep(kind, rig)
            for programs in [FaultRig.Programs.compiledAndStored, .cached, .cached] {
                try sweep.expectHealthy(try rig.open(programs))
            }
        }
        #expect(Set(rig.loader.functions).subtracting(rig.loader.calls.keys) == Set(Self.neverCalled.keys))
        // A build that fails asks for the log.
        let sweep = try FaultSweep(.fused, rig)
        rig.loader.arm("clBuildProgram", call: 0, status: -11)
        #expect(throws: AttentionError.self) { try sweep.attend(on: try rig.open(.compiled), .never) }
        rig.loader.disarm()
        #expect(rig.loader.calls["clGetProgramBuildInfo"] != nil)
    }
}
