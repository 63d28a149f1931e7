import Logging
import Testing

@testable import Attention

/// Which device is taken, which platforms are looked at on the way, and what is said about the others.
@Suite struct DeviceSelectionTests {
    private func select(
        _ preference: DevicePreference, fallback: DevicePreference? = nil, _ source: FakeSource
    ) throws(AttentionError) -> Device {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try Device.select(preference, fallback: fallback, from: source, logger: logger)
    }

    /// Platform 0 has a narrow CPU, 1 is broken, 2 has a GPU and a wide CPU, 3 another GPU.
    private func mixed() -> FakeSource {
        FakeSource([
            .devices([.fake("0.0", .cpu, "Narrow CPU", platform: "Soft")]),
            .broken("clGetDeviceIDs: CL_OUT_OF_HOST_MEMORY"),
            .devices([
                .fake("2.0", .gpu, "Big GPU", platform: "Hard"),
                .fake("2.1", .cpu, "Wide CPU", platform: "Hard", family: "wide"),
            ]),
            .devices([.fake("3.0", .gpu, "Last GPU", platform: "Slow")]),
        ])
    }

    @Test(arguments: [
        (DevicePreference.automatic, "opencl:2.0", [0, 1, 2]), (.gpu, "opencl:2.0", [0, 1, 2]),
        (.cpu, "opencl:2.1", [0, 1, 2]), (.native, "native", []), (.reference, "reference", []),
        (.openCL(platform: 3, device: 0), "opencl:3.0", [3]), (.named("last"), "opencl:3.0", [0, 1, 2, 3]),
        (.named("SOFT"), "opencl:0.0", [0]), (.named("Double"), "reference", [0, 1, 2, 3]),
    ])
    func takesWhatWasAskedForAndLooksNoFurther(
        _ preference: DevicePreference, _ selector: String, _ platforms: [Int]
    ) throws {
        let source = mixed()
        let device = try select(preference, source)
        #expect(device.description.selector == selector)
        #expect(source.looked == platforms)
        #expect(!device.skipped.contains { $0.selector == selector })
        #expect(!device.reason.isEmpty)
    }

    @Test func automaticSaysWhyTheOthersWerePassedOver() throws {
        let device = try select(.automatic, mixed())
        #expect(device.skipped.map(\.selector) == ["opencl:1", "opencl:0.0"])
        #expect(device.skipped[0].reason == "clGetDeviceIDs: CL_OUT_OF_HOST_MEMORY")
        #expect(device.skipped[1].description == "Narrow CPU (Soft): Big GPU was taken, as GPUs come first")
        #expect(device.reason == "the first usable GPU")
    }

    @Test func automaticPassesOverGPUsThatCannotBeUsed() throws {
        let source = FakeSource([
            .devices([
                .fake("0.0", .gpu, "Blind GPU", unsuitable: "it has no compiler"),
                .fake(
                    "0.1", .gpu, "Stuck GPU", openError: .deviceFailed(device: "Stuck GPU", detail: "clCreateContext")),
                .fake("0.2", .accelerator, "Card"),
            ]),
            .devices([]),
            .devices([.fake("2.0", .cpu, "Narrow CPU"), .fake("2.1", .cpu, "Wide CPU", family: "wide")]),
        ])
        let device = try select(.automatic, source)
        #expect(device.description.name == "Wide CPU")
        #expect(device.reason == "no usable GPU; the first CPU device with wide vectors")
        let reasons = Dictionary(uniqueKeysWithValues: device.skipped.map { ($0.selector, $0.reason) })
        #expect(reasons["opencl:0.0"] == "it has no compiler")
        #expect(reasons["opencl:0.1"] == "it cannot be opened: clCreateContext")
        #expect(reasons["opencl:0.2"] == "devices of kind accelerator are used only when asked for")
        #expect(reasons["opencl:1"] == "it has no device")
        #expect(reasons["opencl:2.0"] == "Wide CPU was taken, as its vectors are wider")
    }

    @Test func automaticEndsAtTheNativePath() throws {
        for source in [
            FakeSource([], countError: .noDevice(requested: "opencl", reason: "no loader")), FakeSource([]),
            FakeSource([.devices([])]), FakeSource([.broken("clGetDeviceIDs: CL_DEVICE_NOT_FOUND")]),
            FakeSource([.devices([.fake("0.0", .gpu, "GPU", unsuitable: "it has no compiler")])]),
            FakeSource([.devices([.fake("0.0", .gpu, "GPU", openError: .deviceFailed(device: "GPU", detail: "lost"))])]
            ),
            FakeSource([.devices([.fake("0.0", .cpu, "CPU", openError: .outOfMemory(bytes: 1, device: "CPU"))])]),
        ] {
            let device = try select(.automatic, source)
            #expect(device.description.kind == .native)
            #expect(device.reason == "no usable OpenCL device")
        }
        let none = FakeSource([], countError: .noDevice(requested: "opencl", reason: "no loader"))
        #expect(try select(.automatic, none).skipped.first?.description == "OpenCL: no loader")
    }

    @Test func aCPUWithNarrowVectorsIsTakenWhenThereIsNoOther() throws {
        let source = FakeSource([
            .devices([.fake("0.0", .cpu, "First")]), .devices([.fake("1.0", .cpu, "Second")]),
        ])
        let device = try select(.cpu, source)
        #expect(device.description.name == "First")
        #expect(device.skipped.map(\.reason) == ["First was taken, as it comes first"])
    }

    @Test(arguments: [
        (DevicePreference.gpu, "gpu", "of kind cpu"),
        (.named("nowhere"), "nowhere", "'nowhere' was asked for"), (.named(" "), " ", "empty"),
        (.openCL(platform: 7, device: 0), "opencl:7.0", "there are 1 platforms"),
        (.openCL(platform: 0, device: 9), "opencl:0.9", "platform 0 has 2 devices"),
        (.openCL(platform: 0, device: 1), "opencl:0.1", "no memory"),
    ])
    func absenceIsAnErrorThatSaysWhy(_ preference: DevicePreference, _ requested: String, _ part: String) throws {
        let source = FakeSource([
            .devices([.fake("0.0", .cpu, "CPU"), .fake("0.1", .cpu, "Small", unsuitable: "it has no memory")])
        ])
        let error = #expect(throws: AttentionError.self) { try select(preference, source) }
        guard case .noDevice(let name, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(name == requested)
        #expect(reason.contains(part), "\(reason)")
    }

    @Test func aNamedFallbackIsTakenAndSaid() throws {
        let source = FakeSource([.devices([.fake("0.0", .cpu, "CPU")])])
        let device = try select(.gpu, fallback: .cpu, source)
        #expect(device.description.name == "CPU")
        #expect(device.reason.contains("no device for 'gpu'"))
        #expect(device.skipped.isEmpty)
        let error = #expect(throws: AttentionError.self) { try select(.gpu, fallback: .named("none"), source) }
        #expect(error?.description.contains("gpu, then none") == true)
    }

    @Test func listingLooksOnceAndNamesTheChoice() {
        let source = mixed()
        let listing = DeviceListing.listing(source, library: "libOpenCL.so.1")
        #expect(source.looked == [0, 1, 2, 3])
        #expect(
            listing.candidates.map(\.description.selector) == [
                "opencl:0.0", "opencl:2.0", "opencl:2.1", "opencl:3.0", "native", "reference",
            ])
        #expect(listing.chosen == "opencl:2.0")
        #expect(listing.skipped.map(\.selector) == ["opencl:1"])
        #expect(
            listing.candidates.map(listing.reason) == [
                "Big GPU was taken, as GPUs come first", "the first usable GPU", "'opencl:2.0' comes first",
                "'opencl:2.0' comes first", "'opencl:2.0' comes first", "'opencl:2.0' comes first",
            ])
    }

    @Test func listingWithoutALoader() {
        let source = FakeSource([], countError: .noDevice(requested: "opencl", reason: "no loader"))
        let listing = DeviceListing.listing(source, library: nil)
        #expect(listing.candidates.map(\.description.selector) == ["native", "reference"])
        #expect(listing.chosen == "native")
        #expect(listing.skipped.map(\.description) == ["OpenCL: no loader"])
    }

    @Test(arguments: [
        ("opencl:1.0/1of2", DevicePreference.openCLPart(platform: 1, device: 0, part: 1, of: 2)),
        ("opencl:1.0/2of2", .named("opencl:1.0/2of2")), ("opencl:1.0/", .named("opencl:1.0/")),
        ("opencl:1.0/-1of2", .named("opencl:1.0/-1of2")), ("gpu+native", .group([.gpu, .native])),
        (
            "opencl:0.0 + opencl:1.0/0of4",
            .group([
                .openCL(platform: 0, device: 0), .openCLPart(platform: 1, device: 0, part: 0, of: 4),
            ])
        ), ("Plus+", .named("Plus+")),
    ])
    func partsAndGroupsAreReadFromText(_ text: String, _ preference: DevicePreference) {
        #expect(DevicePreference(text) == preference)
        #expect(DevicePreference(preference.description) == preference)
    }

    @Test func aGroupIsAllOfItsMembers() throws {
        let device = try select(.group([.openCL(platform: 2, device: 0), .native]), mixed())
        #expect(device.description.selector == "opencl:2.0+native")
        #expect(device.description.platform == "Hard + none")
        for members in [[DevicePreference.gpu, .openCL(platform: 2, device: 0)], [.native, .named("nobody")]] {
            #expect(throws: AttentionError.self) { try select(.group(members), mixed()) }
        }
        #expect(throws: AttentionError.self) {
            try select(.openCLPart(platform: 2, device: 0, part: 0, of: 2), mixed())
        }
    }

    @Test(arguments: [
        ("auto", DevicePreference.automatic), ("GPU", .gpu), ("cpu", .cpu), ("native", .native),
        ("reference", .reference), ("opencl:1.12", .openCL(platform: 1, device: 12)), ("NVIDIA", .named("NVIDIA")),
        ("opencl:1", .named("opencl:1")), ("opencl:-1.0", .named("opencl:-1.0")), ("opencl:a.b", .named("opencl:a.b")),
    ])
    func preferenceIsReadFromText(_ text: String, _ preference: DevicePreference) {
        #expect(DevicePreference(text) == preference)
        #expect(DevicePreference(preference.description) == preference)
    }
}
