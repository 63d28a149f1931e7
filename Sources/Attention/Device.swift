@_exported public import AttentionNative
import AttentionOpenCL
import AttentionReference
@_exported public import AttentionCore
public import Logging

/// A device that attention runs on: a GPU or CPU through OpenCL, the processor natively, or the reference.
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
    ///
    /// Platforms that nobody had to look at are not listed.
    public let skipped: [SkippedDevice]
    /// Why this device was chosen.
    public let reason: String
    /// What the library has to say about this device: fallbacks at `notice`, choices at `debug`.
    public var logger: Logger
    /// What computes. Use it to write tests and layers of your own.
    public let backend: any Backend
    /// How long this device is left alone after a failure, unless ``FallbackPolicy/never`` asks for it: 30 s, and up to 16 times as
    /// long if it keeps failing. ``DeviceRest`` says what calls do meanwhile. Zero: this copy of the device heeds no rest and starts
    /// none.
    public var restTime = Duration.seconds(30)
    /// The longest that a call, or the making of a plan, may take on a device; `nil`, as it is at first, is for ever.
    ///
    /// A device that gives no answer in that time has failed. Nothing can kill a kernel or a compiler inside a driver: its queue is
    /// abandoned, keeps the operands alive until it ends, if it does, and is used by no other call before that; its thread and
    /// memory are lost until then (``DeviceStatistics/abandonedCalls``). As an abandoned kernel may write late, calls with a limit
    /// compute into new memory, and copy to tensors of the caller's at the end.
    ///
    /// Each device of a ``FallbackPolicy`` has this time anew, except for the native path and the reference, which come to an end.
    /// It includes builds, 0.2 to 1 s for a kernel that is not cached. Cost: a thread a call, some 50 µs.
    public var timeLimit: Duration?
    /// What plans are made by: ``backend``, with pieces for calls larger than its memory.
    let fitting: FittingBackend
    let rest: RestKeeper
    /// Finish the calls that `backend` fails in.
    let standbys: FallbackChain
    let watchdog = Watchdog()
    let plans = PlanCache()

    /// A device around a backend that the caller has, for example one in a context of its own.
    public init(backend: any Backend, logger: Logger = Logger(label: "swift-attention")) {
        self.init(backend: backend, skipped: [], logger: logger)
    }

    /// `standbys` are opened from `source` unless they are given.
    init(
        backend: any Backend, standbys: FallbackChain? = nil, from source: any DeviceSource = OpenCLSource(),
        skipped: [SkippedDevice], reason: String = "given by the caller", logger: Logger,
        now: @escaping RestKeeper.Now = { .now }
    ) {
        self.backend = backend
        fitting = FittingBackend(backend)
        self.standbys = standbys ?? FallbackChain(besides: backend.device.selector, from: source, now: now)
        rest = RestKeeper(now: now)
        self.skipped = skipped
        self.reason = reason
        self.logger = logger
        description = backend.device
    }

    /// The definition of attention itself, in `Double`. It runs anywhere, slowly.
    public static var reference: Device {
        Device(
            backend: ReferenceBackend(), skipped: [], reason: "asked for", logger: Logger(label: "swift-attention"))
    }

    /// The processor without OpenCL, which is there on every machine.
    ///
    /// - Parameters:
    ///   - instructionSet: which kernels to use; `nil` is what the environment variable `InstructionSet.variable` names, or else
    ///     the widest that this processor has.
    ///   - threads: the most threads of a call, the caller's among them; `nil` is one for each processor that this process may use.
    /// - Throws: `AttentionError.noDevice` if this processor lacks the instruction set.
    public static func native(
        instructionSet: InstructionSet? = nil, threads: Int? = nil
    ) throws(AttentionError) -> Device {
        Device(
            backend: try NativeBackend(instructionSet: instructionSet, threads: threads), skipped: [],
            reason: "asked for", logger: Logger(label: "swift-attention"))
    }

    /// Chooses and opens a device.
    ///
    /// Platforms are looked at in their order and only until the choice is made: a slow one behind it costs nothing. Devices that
    /// cannot be used (no memory, no compiler, a driver that fails to open) stand in ``skipped``.
    ///
    /// Cost: 1 to 400 ms a platform, and the opening of one device: keep the result rather than selecting again.
    ///
    /// - Parameters:
    ///   - preference: what is wanted. By default the first usable GPU, else the best CPU device, else the processor natively.
    ///   - fallback: what to take if that is not there; without one, the absence is an error.
    ///   - logger: told of the choice, and later of calls that fall back.
    /// - Throws: `AttentionError.noDevice` with the reasons of all that were passed over.
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
        var choice: DeviceSelection.Choice
        do throws(AttentionError) {
            choice = try selection.open(preference)
        } catch {
            guard let fallback else { throw error }
            logger.notice("\(error)", metadata: ["fallback": "\(fallback)"])
            do throws(AttentionError) { choice = try selection.open(fallback) } catch let second {
                throw .noDevice(requested: "\(preference), then \(fallback)", reason: "\(error); \(second)")
            }
            choice.reason += "; \(error)"
        }
        let device = choice.backend.device
        logger.debug("device chosen", metadata: ["device": "\(device.name)", "reason": "\(choice.reason)"])
        return Device(
            backend: choice.backend, from: source, skipped: selection.skipped.filter { $0.selector != device.selector },
            reason: choice.reason, logger: logger)
    }
}
