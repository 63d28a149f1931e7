import AttentionOpenCL
@_exported public import AttentionCore
public import Logging

/// A device that attention runs on: a GPU or CPU through OpenCL, or the reference.
///
/// A device is a value: as many as a program likes may be open, and each may be used from many tasks at once.
///
/// ```swift
/// let device = try Device.select(.gpu, fallback: .cpu)
/// print(device.description.name, device.skipped)
/// ```
public struct Device: Sendable {
    public let description: DeviceDescription
    /// Who was passed over when this device was chosen, and why.
    public let skipped: [SkippedDevice]
    /// What the library has to say about this device: fallbacks at `notice`, choices at `debug`.
    public var logger: Logger
    /// What computes. Use it to write tests and layers of your own.
    public let backend: any Backend

    /// A device around a backend that the caller has, for example one in a context of its own.
    public init(backend: any Backend, logger: Logger = Logger(label: "swift-attention")) {
        self.init(backend: backend, skipped: [], logger: logger)
    }

    init(backend: any Backend, skipped: [SkippedDevice], logger: Logger) {
        self.backend = backend
        self.skipped = skipped
        self.logger = logger
        description = backend.device
    }

    /// Chooses and opens a device.
    ///
    /// - Parameters:
    ///   - preference: what is wanted. By default the first usable GPU, else the best CPU device, else the reference.
    ///   - fallback: what to take if that is not there.
    /// - Throws: ``AttentionError/noDevice(requested:reason:)`` with the reasons of all that were passed over.
    public static func select(
        _ preference: DevicePreference = .automatic, fallback: DevicePreference? = nil,
        logger: Logger = Logger(label: "swift-attention")
    ) throws(AttentionError) -> Device {
        try select(preference, fallback: fallback, from: OpenCLSource(), logger: logger)
    }

    static func select(
        _ preference: DevicePreference, fallback: DevicePreference?, from source: any DeviceSource, logger: Logger
    ) throws(AttentionError) -> Device {
        var selection = DeviceSelection(source)
        let backend: any Backend
        do throws(AttentionError) {
            backend = try selection.open(preference)
        } catch {
            guard let fallback else { throw error }
            logger.notice("\(error)", metadata: ["fallback": "\(fallback)"])
            backend = try selection.open(fallback)
        }
        logger.debug("device chosen", metadata: ["device": "\(backend.device.name)"])
        return Device(backend: backend, skipped: selection.skipped, logger: logger)
    }

    /// New memory on this device that holds `tensor`. Cost: one copy.
    public func tensor(_ tensor: Tensor) throws(AttentionError) -> Tensor {
        let bytes = try tensor.contiguousBytes()
        let storage = try backend.makeStorage(byteCount: bytes.count)
        var failure: AttentionError?
        bytes.withUnsafeBytes { raw in
            do throws(AttentionError) { try storage.upload(raw, at: 0) } catch { failure = error }
        }
        if let failure { throw failure }
        return try Tensor(
            storage: storage, layout: try TensorLayout(contiguous: tensor.shape), elementType: tensor.elementType)
    }
}
