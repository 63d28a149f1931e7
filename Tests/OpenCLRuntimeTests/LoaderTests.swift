import Foundation
import OpenCLRuntime
import Testing

@Suite struct LoaderTests {
    @Test func noLoader() {
        let path = "/nonexistent/libOpenCL.so.1"
        do {
            _ = try OpenCLLibrary.open(path: path)
            Issue.record("opened a library that does not exist")
        } catch {
            guard case .noLoader(let tried) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(tried.count == 1 && tried[0].contains(path))
            #expect(error.description.contains("no OpenCL loader"))
        }
    }

    #if os(Linux)
        @Test func libraryThatIsNoLoader() throws {
            let library = try OpenCLLibrary.open(path: "libc.so.6")
            #expect(throws: OpenCLError.missingFunction(name: "clGetPlatformIDs", library: "libc.so.6")) {
                try library.platforms()
            }
        }
    #endif

    @Test(.needsCompiler, arguments: [StandIn.Machine.noPlatforms, .zeroPlatforms])
    func noPlatforms(_ machine: StandIn.Machine) throws {
        let folder = TemporaryFolder()
        let library = try StandIn.open(machine, in: folder)
        #expect(library.path == folder.file("\(machine.rawValue).so"))
        #expect(throws: OpenCLError.noPlatforms(library: library.path)) { try library.platforms() }
    }

    @Test(.needsCompiler) func unknownStatusIsKept() throws {
        let folder = TemporaryFolder()
        let library = try StandIn.open(.oddStatus, in: folder)
        let error = #expect(throws: OpenCLError.self) { try library.platforms() }
        #expect(error?.status?.rawValue == -9999)
        let text = error?.description ?? ""
        #expect(text.contains("clGetPlatformIDs returned unknown OpenCL status -9999"))
    }

    @Test(.needsCompiler) func platformWithoutDevices() throws {
        let folder = TemporaryFolder()
        let platforms = try StandIn.open(.noDevices, in: folder).platforms()
        #expect(platforms.count == 1)
        #expect(try platforms[0].devices() == [])
    }

    @Test(
        .needsCompiler,
        arguments: [
            (StandIn.Machine.noMemory, Unsuitability.noMemory), (.noCompiler, .noCompiler),
            (.notAvailable, .notAvailable), (.silent, .doesNotAnswer),
        ])
    func unsuitableDevicesAreListed(_ machine: StandIn.Machine, _ reason: Unsuitability) throws {
        let folder = TemporaryFolder()
        let devices = try StandIn.open(machine, in: folder).platforms()[0].devices()
        let device = try #require(devices.first)
        #expect(device.unsuitability == reason)
        refusal(reason.description) { _ = try Context(device: device) }
    }

    @Test(.needsCompiler) func anOldDeviceIsFineAndWhatItsLoaderLacksIsTyped() throws {
        let folder = TemporaryFolder()
        let library = try StandIn.open(.healthy, in: folder)
        let device = try #require(try library.platforms()[0].devices().first)
        #expect(device.unsuitability == nil)
        #expect(device.name == "device")
        #expect(device.info.type == .gpu)
        #expect((device.info.version.major, device.info.version.minor) == (1, 2))
        #expect(device.info.maxWorkItemSizes == [256, 256, 64])
        #expect(device.info.maxSubGroups == 0 && !device.info.hasSubGroups && !device.info.hasHalf)
        #expect(throws: OpenCLError.missingFunction(name: "clCreateContext", library: library.path)) {
            try Context(device: device)
        }
    }

    @Test(arguments: [
        (0, "CL_SUCCESS"), (-5, "CL_OUT_OF_RESOURCES"), (-54, "CL_INVALID_WORK_GROUP_SIZE"),
        (-1001, "CL_PLATFORM_NOT_FOUND_KHR"), (-9999, "unknown OpenCL status -9999"),
    ])
    func statusNames(_ code: Int32, _ name: String) {
        #expect(Status(rawValue: code).name == name)
    }
}

@Suite struct DeviceTests {
    @Test(.needsDevice, arguments: Machine.subjects)
    func reports(_ subject: Subject) throws {
        let info = subject.device.info
        #expect(!info.name.isEmpty && !info.driverVersion.isEmpty && !subject.device.platform.name.isEmpty)
        #expect(info.version >= info.languageVersion || info.languageVersion.major > 0)
        #expect(info.version.major >= 1)
        #expect(info.computeUnits > 0 && info.maxWorkGroupSize > 0 && info.addressBits >= 32)
        #expect(info.maxWorkItemSizes.count == 3 && info.maxWorkItemSizes.allSatisfy { $0 > 0 })
        #expect(info.localMemoryBytes >= 16384 && info.baseAlignmentBytes >= 16)
        #expect(info.maxAllocationBytes <= info.globalMemoryBytes)
        #expect(info.extensions.contains("cl_khr_byte_addressable_store"))
        #expect(info.timerResolution >= 0 && info.maxParameterBytes >= 256)
    }

    @Test(.needsDevice, arguments: Machine.subjects)
    func handlesOfTheCaller(_ subject: Subject) throws {
        let library = subject.context.library
        let device = try Device(wrapping: subject.device.unsafeHandle, library: library)
        #expect(device == subject.device && device.platform == subject.device.platform)
        let values: [Int32] = [7, 8]
        let mine = try values.withUnsafeBytes { try Buffer(context: subject.context, copying: $0) }
        let plain = try subject.queue(profiling: true)
        do {
            let context = try Context(wrapping: subject.context.unsafeHandle, library: library)
            let queue = try Queue(wrapping: plain.unsafeHandle, context: context)
            #expect(queue.isProfiling)
            let buffer = try Buffer(wrapping: mine.unsafeHandle, context: context)
            #expect(buffer.byteCount == 8)
            #expect(try buffer.read(Int32.self, count: 2, on: queue) == [7, 8])
        }
        // The wrappers are gone, what they wrapped is not.
        #expect(try mine.read(Int32.self, count: 2, on: plain) == [7, 8])
        let other = try Context(device: subject.device)
        refusal("another context") { _ = try Buffer(wrapping: mine.unsafeHandle, context: other) }
        refusal("another context") { _ = try Queue(wrapping: plain.unsafeHandle, context: other) }
        // An unsafe handle is valid only as long as its object.
        withExtendedLifetime((mine, plain)) {}
    }
}
