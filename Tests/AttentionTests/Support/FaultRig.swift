import AttentionCore
import Foundation
import Logging
import OpenCLRuntime
import TestSupport
import Testing

@testable import Attention
@testable import AttentionOpenCL

/// PoCL behind a loader that fails on demand, and devices on it.
final class FaultRig: Sendable {
    let loader: FaultyLoader
    private let library: OpenCLLibrary
    private let platform: Int
    private let cacheFolder: String

    /// Why there is none here; nil if there is one.
    static let absence: String? =
        !OwnProcess.isChild
        ? "runs in a process of its own: OwnProcessTests"
        : FaultyLoader.absence ?? (pocl == nil ? "no PoCL on this machine" : nil)

    /// PoCL's place among the platforms. Its failures and leaks are known; other drivers have their own.
    private static let pocl: Int? = {
        guard let platforms = try? OpenCLLibrary.shared().platforms() else { return nil }
        return platforms.firstIndex { $0.name == "Portable Computing Language" }
    }()

    init() throws {
        loader = try FaultyLoader()
        library = try OpenCLLibrary.open(path: loader.path)
        platform = try #require(Self.pocl)
        cacheFolder = FileManager.default.temporaryDirectory.path + "/fault-rig-" + UUID().uuidString
    }

    deinit { try? FileManager.default.removeItem(atPath: cacheFolder) }

    /// How a device comes by its programs.
    enum Programs: Sendable {
        /// From the rig's cache on disk.
        case cached
        /// From their text, with nothing kept.
        case compiled
        /// From their text, and written to an empty cache.
        case compiledAndStored
    }

    /// The device, asked for by its place, which differs between machines.
    var preference: DevicePreference { .openCL(platform: platform, device: 0) }

    /// A device that is chosen as a program would, with the programs of the machine's own cache.
    func select(_ preference: DevicePreference, fallback: DevicePreference?) throws -> Attention.Device {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return Self.withoutRest(
            try .select(
                preference, fallback: fallback, from: FaultySource(library: library, platform: platform), logger: logger
            ))
    }

    /// A device in a new context, which has no program yet.
    func open(_ programs: Programs) throws -> Attention.Device {
        let device = try #require(try library.platforms()[platform].devices().first)
        let cache: ProgramCache
        switch programs {
        case .cached: cache = ProgramCache(folder: cacheFolder)
        case .compiled: cache = ProgramCache(folder: nil)
        case .compiledAndStored:
            cache = ProgramCache(folder: cacheFolder + "-empty")
            try cache.clear()
        }
        let backend = OpenCLBackend(
            context: try Context(device: device),
            description: OpenCLBackend.describe(device, selector: "opencl:\(platform).0"), text: .embedded, cache: cache
        )
        return Self.withoutRest(.quiet(backend))
    }

    /// A device that is tried again at once after it failed: the sweeps make it fail thousands of times.
    private static func withoutRest(_ device: Attention.Device) -> Attention.Device {
        var device = device
        device.logger.logLevel = .critical
        device.restTime = .zero
        return device
    }
}

/// The devices of one platform of one loader, as `OpenCLSource` gives those of all. The others seem to have none.
private struct FaultySource: DeviceSource {
    let library: OpenCLLibrary
    let platform: Int

    func platformCount() throws(AttentionError) -> Int {
        try OpenCLDiscovery.platforms(of: library).count
    }

    func candidates(platform index: Int) throws(AttentionError) -> [DeviceCandidate] {
        guard index == platform else { return [] }
        return try OpenCLDiscovery.candidates(platform: platform, of: library).map { candidate in
            DeviceCandidate(
                description: candidate.description, family: candidate.family,
                unsuitableReason: candidate.unsuitableReason, limits: candidate.limits
            ) { () throws(AttentionError) in try candidate.makeBackend() }
        }
    }
}
