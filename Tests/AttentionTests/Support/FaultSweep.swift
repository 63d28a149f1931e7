import TestSupport
import Testing

@testable import Attention

/// One kind of call, made again and again while the driver fails.
struct FaultSweep {
    /// Functions whose failure no answer depends on: the call may go on as if nothing was.
    static let harmless: Set<String> = [
        // Nobody is left to hear of these.
        "clReleaseContext", "clReleaseCommandQueue", "clReleaseMemObject", "clReleaseProgram", "clReleaseKernel",
        "clReleaseEvent",
        // The buffer keeps the owner itself.
        "clSetMemObjectDestructorCallback",
        // The last calls forget the buffers of a launch that has ended.
        "clSetKernelArg",
        // The device's own limits are taken.
        "clGetKernelWorkGroupInfo",
        // Names are part of the cache's key: without them it is left alone. A binary that is refused is compiled anew, and one
        // that is not given is not stored.
        "clGetPlatformInfo", "clCreateProgramWithBinary", "clGetProgramInfo",
    ]

    let rig: FaultRig
    private let call: PreparedCall

    init(_ kind: FaultCall, _ rig: FaultRig) throws {
        self.rig = rig
        call = try PreparedCall(kind)
    }

    /// The functions of a call that is well.
    func calls(on device: Device) throws -> [String: Int] {
        try rig.loader.calls { try expectHealthy(device) }
    }

    /// A call with its operands moved to where it wants them, and its result brought back.
    func attend(on device: Device, _ fallback: FallbackPolicy) throws -> AttentionResult {
        try call.run(call.operands(on: device), on: device, fallback: fallback)
    }

    func isRight(_ result: AttentionResult) throws -> Bool { try call.findings(result).isEmpty }

    /// That the device computes, by itself, and rightly.
    func expectHealthy(_ device: Device, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let result = try attend(on: device, .never)
        let findings = try call.findings(result)
        #expect(findings.isEmpty, sourceLocation: sourceLocation)
        #expect(result.device == device.description, sourceLocation: sourceLocation)
    }

    /// A call under a fault: a right answer or a typed error.
    func run(
        _ fault: DriverFault, on device: Device, _ fallback: FallbackPolicy, harmless: Set<String>,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let comment: Comment = "\(call.kind), \(fault), \(fallback)"
        let start = ContinuousClock.now
        rig.loader.arm(fault.function, call: fault.call, status: fault.status, fault.timing)
        // What is moved to or from the device has no fallback: it throws whatever the policy is.
        var isInCall = false
        do {
            let operands = try call.operands(on: device)
            isInCall = true
            let result = try call.run(operands, on: device, fallback: fallback)
            isInCall = false
            let findings = try call.findings(result)
            #expect(findings.isEmpty, comment, sourceLocation: sourceLocation)
            for fell in result.fallbacks {
                #expect(names(fault, fell.reason), "\(comment): \(fell.reason)", sourceLocation: sourceLocation)
            }
            let isTold = !result.fallbacks.isEmpty || harmless.contains(fault.function)
            #expect(isTold, comment, sourceLocation: sourceLocation)
        } catch let error as AttentionError {
            #expect(names(fault, error.description), "\(comment): \(error)", sourceLocation: sourceLocation)
            let mayThrow = fallback == .never || !isInCall || (call.kind == .onDevice && fault.call == 0)
            #expect(mayThrow, "\(comment): \(error)", sourceLocation: sourceLocation)
        }
        let hits = rig.loader.disarm()
        #expect(hits > 0, comment, sourceLocation: sourceLocation)
        #expect(ContinuousClock.now - start < .seconds(5), comment, sourceLocation: sourceLocation)
    }

    /// Whether `text` says which function failed, and with what status.
    private func names(_ fault: DriverFault, _ text: String) -> Bool {
        // Events are those of kernels, and a program that does not build says so in its own words.
        let function =
            [FaultyLoader.event: "clEnqueueNDRangeKernel", "clBuildProgram": "does not build"][fault.function]
            ?? fault.function
        return text.contains(function) && text.contains("\(fault.status)")
    }
}
