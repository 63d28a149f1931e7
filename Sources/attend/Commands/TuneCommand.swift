import ArgumentParser
import Attention

/// `attend tune`: searches tiles for shapes on this device.
struct TuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune", abstract: "Searches the fastest tiles for a shape on this device, and keeps them.",
        discussion: """
            One size of a kernel is changed at a time for as long as that helps. Each candidate is checked in small calls with \
            every option and at the shape itself before it is timed. What wins by 2 % or more is kept beside the compiled kernels, \
            for calls of the same types and of about these sizes, until driver or kernel change; `attend cache clear --tunings` \
            forgets it. Ctrl-C, or --seconds, ends a search with the best so far; a second Ctrl-C ends the program.
            """)

    @Option(
        help: ArgumentHelp(
            "Search for this shape; may be given several times. Without it: a prefill and a decode.",
            valueName: "B,Hq,Hkv,Lq,Lk,D[,Dv]"))
    var shape: [String] = []

    @Option(help: "Storage of the operands: f32, f16 or bf16.")
    var dtype = BenchCommand.StorageType.f32

    @Flag(help: "A causal mask.")
    var causal = false

    @Option(help: ArgumentHelp("Keys more than this before a query are excluded.", valueName: "keys"))
    var windowLeft: Int?

    @Option(help: ArgumentHelp("Stop the search for a shape after this time.", valueName: "n"))
    var seconds: Double?

    @OptionGroup var kernels: KernelOptions
    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        for text in shape where BenchShape(text) == nil {
            throw ValidationError(
                "--shape: expected B,Hq,Hkv,Lq,Lk,D[,Dv], numbers from 1 on, Hq a multiple of Hkv; found '\(text)'")
        }
        if let windowLeft, windowLeft < 0 {
            throw ValidationError("--window-left: expected 0 or more, found \(windowLeft)")
        }
        if let seconds, !(seconds > 0) { throw ValidationError("--seconds: expected more than 0, found \(seconds)") }
        if kernels.tiles != nil { throw ValidationError("--tiles: expected none, as tune chooses them") }
    }

    func run() throws {
        do { try execute() } catch { throw CommandFailure(error) }
    }

    private var shapes: [BenchShape] {
        let named = shape.compactMap { BenchShape($0) }
        let all =
            named.isEmpty ? [BenchShape([1, 8, 8, 1024, 1024, 64]), BenchShape([1, 32, 8, 1, 4096, 128])] : named
        return all.map { shape in
            var shape = shape
            shape.type = dtype.elementType
            shape.isCausal = causal
            shape.windowLeft = windowLeft
            return shape
        }
    }

    private func execute() throws {
        let interruption = Interruption()
        let device = try DeviceChoice.one(common)
        let progress = Progress()
        var results: [(shape: BenchShape, result: TuningResult)] = []
        for shape in shapes where !interruption.hasCome {
            let start = ContinuousClock.now
            let result = try device.tune(
                shape.shape, mask: shape.mask, elementType: shape.type, policy: kernels.policy
            ) { state in
                progress.update(Self.line(shape, state))
                if let seconds, ContinuousClock.now - start > .seconds(seconds) { return false }
                return !interruption.hasCome
            }
            progress.clear()
            results.append((shape, result))
            if !common.json { Self.print(shape, result) }
        }
        if interruption.hasCome { Console.note("tune: stopped by Ctrl-C, with the best so far") }
        guard common.json else { return }
        Console.line(
            JSON.object([
                ("device", .device(device.description)),
                ("results", .array(results.map { Self.json($0.shape, $0.result) })),
            ]).text)
    }

    /// A bar, and what the search has come to.
    private static func line(_ shape: BenchShape, _ state: TuningProgress) -> String {
        let width = 20
        let filled = min(width * state.looked / max(state.most, 1), width)
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        return
            "\(shape.label) [\(bar)] \(Pretty.fixed(state.before, 3)) → \(Pretty.fixed(state.best, 3)) ms  \(state.candidate)"
    }

    private static func sizes(_ sizes: [String: Int]) -> String {
        sizes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }

    private static func print(_ shape: BenchShape, _ result: TuningResult) {
        Console.line("\(shape.label) \(shape.type)\(result.isPartial ? ", stopped early" : "")")
        Console.line(
            "  before  \(Pretty.fixed(result.before, 3)) ms  \(result.untunedKernel) \(sizes(result.untunedSizes))")
        if result.isFaster {
            let kept = result.isKept ? "" : "  (not kept: there is no program cache)"
            Console.line(
                "  after   \(Pretty.fixed(result.after, 3)) ms  \(result.kernel) \(sizes(result.sizes))\(kept)")
        } else {
            Console.line("  after   nothing is 2 % faster")
        }
        Console.line("  timed   \(result.timed) candidates, \(result.refused.count) refused")
    }

    private static func json(_ shape: BenchShape, _ result: TuningResult) -> JSON {
        .object([
            ("shape", .shape(shape.shape)), ("causal", .bool(shape.isCausal)),
            ("window_left", shape.windowLeft.map { .int($0) } ?? .null), ("dtype", .string("\(shape.type)")),
            ("kernel", .string(result.kernel)),
            ("parameters", .object(result.sizes.sorted { $0.key < $1.key }.map { ($0.key, .int($0.value)) })),
            ("before_kernel", .string(result.untunedKernel)),
            (
                "before_parameters",
                .object(result.untunedSizes.sorted { $0.key < $1.key }.map { ($0.key, .int($0.value)) })
            ),
            ("before_ms", .double(result.before)), ("after_ms", .double(result.after)), ("timed", .int(result.timed)),
            ("refused", .array(result.refused.map { .string($0) })), ("stopped", .bool(result.isPartial)),
            ("kept", .bool(result.isKept)),
        ])
    }
}
