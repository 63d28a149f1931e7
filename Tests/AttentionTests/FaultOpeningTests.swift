import TestSupport
import Testing

@testable import Attention

/// Finding and opening a device while the driver fails.
@Suite(.serialized, .enabled(if: FaultRig.absence == nil, "\(FaultRig.absence ?? "")"))
struct FaultOpeningTests {
    static let rig = Result { try FaultRig() }
    static let functions = [
        "clGetPlatformIDs", "clGetPlatformInfo", "clGetDeviceIDs", "clGetDeviceInfo", "clCreateContext",
    ]

    /// The functions that are called until a device is open.
    private func calls(_ rig: FaultRig) throws -> [String: Int] {
        var device: Device?
        let calls = try rig.loader.calls { device = try rig.select(rig.preference, fallback: nil) }
        withExtendedLifetime(device) {}
        return calls
    }

    /// A device asked for is there, or the error says what failed; a second choice is taken for it.
    @Test func aDeviceThatIsAskedFor() throws {
        let rig = try Self.rig.get()
        let sweep = try FaultSweep(.fused, rig)
        let calls = try calls(rig)
        #expect(Set(calls.keys) == Set(Self.functions))
        for fault in DriverFault.all(calls) {
            rig.loader.arm(fault.function, call: fault.call, status: fault.status)
            do {
                let device = try rig.select(rig.preference, fallback: nil)
                // A property that is not told is 0, and the device can still be one that works.
                #expect(["clGetDeviceInfo", "clGetPlatformInfo"].contains(fault.function), "\(fault)")
                #expect(rig.loader.disarm() == 1, "\(fault)")
                try sweep.expectHealthy(device)
            } catch AttentionError.noDevice(_, let reason) {
                #expect(rig.loader.disarm() == 1, "\(fault)")
                let isNamed = reason.contains(fault.function) && reason.contains("\(fault.status)")
                #expect(isNamed || fault.function == "clGetDeviceInfo", "\(fault): \(reason)")
            }
            rig.loader.arm(fault.function, call: fault.call, status: fault.status)
            let second = try rig.select(rig.preference, fallback: .automatic)
            rig.loader.disarm()
            try expectRight(second, sweep, fault)
        }
        try sweep.expectHealthy(try rig.select(rig.preference, fallback: nil))
    }

    @Test func automaticAlwaysFindsADevice() throws {
        let rig = try Self.rig.get()
        let sweep = try FaultSweep(.fused, rig)
        for fault in DriverFault.all(try calls(rig)) + Self.functions.map({ DriverFault($0, call: 0, status: -5) }) {
            rig.loader.arm(fault.function, call: fault.call, status: fault.status)
            let device = try rig.select(.automatic, fallback: nil)
            rig.loader.disarm()
            try expectRight(device, sweep, fault)
        }
    }

    /// Each property of the device and of its platform is missing once.
    @Test(arguments: ["clGetDeviceInfo", "clGetPlatformInfo"])
    func noPropertyIsNeededToBeRight(_ function: String) throws {
        let rig = try Self.rig.get()
        let sweeps = [try FaultSweep(.fused, rig), try FaultSweep(.staged, rig), try FaultSweep(.paged, rig)]
        let count = try #require(try calls(rig)[function])
        for call in 1...count {
            rig.loader.arm(function, call: call, status: -5)
            let device = try rig.select(.automatic, fallback: nil)
            #expect(rig.loader.disarm() == 1)
            for sweep in sweeps { try expectRight(device, sweep, DriverFault(function, call: call, status: -5)) }
        }
    }

    /// A driver that does not say who it is gets no binary that could be another's, and leaves none.
    @Test func aDriverWithoutANameHasNoCache() throws {
        let rig = try Self.rig.get()
        let sweep = try FaultSweep(.fused, rig)
        try sweep.expectHealthy(try rig.open(.cached))
        let device = try rig.open(.cached)
        rig.loader.arm("clGetPlatformInfo", call: 0, status: -5)
        let calls = try sweep.calls(on: device)
        rig.loader.disarm()
        #expect(calls["clCreateProgramWithBinary"] == nil && calls["clGetProgramInfo"] == nil)
        #expect(calls["clCreateProgramWithSource"] == 1)
    }

    private func expectRight(_ device: Device, _ sweep: FaultSweep, _ fault: DriverFault) throws {
        let start = ContinuousClock.now
        #expect(try sweep.isRight(sweep.attend(on: device, .automatic)), "\(fault), \(device.description)")
        #expect(ContinuousClock.now - start < .seconds(5), "\(fault)")
    }
}
