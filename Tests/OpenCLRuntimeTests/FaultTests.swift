import TestSupport
import Testing

@testable import OpenCLRuntime

/// Every function of the table fails, with every status, at each of its places in every operation.
@Suite(.serialized, .needsFaultyLoader) struct FaultTests {
    static let platform = "Portable Computing Language"

    /// Functions whose failure nothing depends on, and why.
    static let harmless: [String: String] = [
        "clReleaseContext": "nobody is left to hear it", "clReleaseCommandQueue": "as above",
        "clReleaseMemObject": "as above", "clReleaseProgram": "as above", "clReleaseKernel": "as above",
        "clReleaseEvent": "as above", "clReleaseDevice": "as above",
        "clGetPlatformInfo": "names and versions are empty then",
        "clGetDeviceInfo": "a property is 0 then, and a device that tells nothing is unsuitable",
        "clGetKernelWorkGroupInfo": "the device's own limits are taken",
        "clGetProgramBuildInfo": "the error has no log then",
        "clSetMemObjectDestructorCallback": "the buffer keeps the owner itself",
        "clSetKernelArg": "the last ones forget the buffers of a launch that has ended",
        "clEnqueueUnmapMemObject": "of a mapping that nobody gave back",
    ]

    /// Functions that no operation calls, and why.
    static let neverCalled: [String: String] = [
        "clCreateCommandQueueWithProperties": "only where the loader lacks clCreateCommandQueue"
    ]

    @Test func theLoaderStandsInForEveryFunction() throws {
        let names = Set(try FaultBench(Self.platform).tableNames)
        let loader = try FaultyLoader()
        #expect(names == Set(loader.functions))
        let bench = try FaultBench(Self.platform)
        for operation in FaultOperation.all { try operation.run(bench) }
        #expect(names.subtracting(bench.loader.calls.keys) == Set(Self.neverCalled.keys))
    }

    @Test(arguments: FaultOperation.all.map(\.name), FaultyLoader.Timing.allCases)
    func everyFailureIsTypedOrHarmless(_ name: String, _ timing: FaultyLoader.Timing) throws {
        let operation = try #require(FaultOperation.all.first { $0.name == name })
        let bench = try FaultBench(Self.platform)
        // Twice, so that what is made once for all is there.
        try operation.run(bench)
        let calls = try bench.loader.calls { try operation.run(bench) }
        let before = bench.loader.live
        var unreleased = 0
        for fault in DriverFault.all(calls, timing) {
            let start = ContinuousClock.now
            bench.loader.arm(fault.function, call: fault.call, status: fault.status, fault.timing)
            var failure: (any Error)?
            do { try operation.run(bench) } catch { failure = error }
            #expect(bench.loader.disarm() == 1, "\(fault)")
            #expect(ContinuousClock.now - start < .seconds(5), "\(fault)")
            check(failure, fault)
            if fault.function.hasPrefix("clRelease"), timing == .instead { unreleased += 1 }
        }
        try operation.run(bench)
        // What a failing release kept is the loader's doing.
        #expect(total(bench.loader.live) == total(before) + unreleased, "\(bench.loader.live) after \(before)")
    }

    private func total(_ live: [FaultyLoader.Kind: Int]) -> Int { live.values.reduce(0, +) }

    private func check(_ failure: (any Error)?, _ fault: DriverFault) {
        switch failure {
        case nil: #expect(Self.harmless[fault.function] != nil, "nobody was told of \(fault)")
        case OpenCLError.callFailed(let function, let status, _)?:
            #expect(function == fault.function && status.rawValue == fault.status, "\(fault): \(function) \(status)")
        case OpenCLError.buildFailed(let status, _, _, _, _)?:
            #expect(fault.function == "clBuildProgram" && status.rawValue == fault.status, "\(fault): \(status)")
        case let other?: Issue.record("\(fault): \(other)")
        }
    }

    /// A command that was taken and fails later.
    @Test func anEventThatEndsInAnErrorIsTold() throws {
        let bench = try FaultBench(Self.platform)
        for status in DriverFault.statuses {
            bench.loader.arm(FaultyLoader.event, call: 1, status: status)
            let event = try bench.launch(bench.profiled)
            #expect(throws: OpenCLError.self) { try event.wait() }
            #expect(try event.progress() == .failed(Status(rawValue: status)))
            #expect(throws: OpenCLError.self) { try event.times() }
            #expect(bench.loader.disarm() == 1)
        }
        _ = try bench.launch(bench.profiled).times()
    }
}

extension FaultBench {
    /// The C names in the function table.
    var tableNames: [String] {
        Mirror(reflecting: library.table).children.compactMap { function in
            Mirror(reflecting: function.value).children.first { $0.label == "name" }?.value as? String
        }
    }
}

extension Trait where Self == ConditionTrait {
    static var needsFaultyLoader: Self {
        .enabled(
            if: FaultyLoader.absence == nil
                && Machine.subjects.contains { $0.device.platform.name == FaultTests.platform },
            "no C compiler or no PoCL on this machine")
    }
}
