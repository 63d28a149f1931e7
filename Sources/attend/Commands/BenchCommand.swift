import ArgumentParser
import Attention
import BenchmarkLoops

/// `attend bench`: times shapes, once their result is right.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Times shapes after checking the result.",
        discussion: """
            A call is timed with its operands in the device's memory, launch and wait included. Excluded pairs of a query \
            and a key are no work. Peak is the best of several loops of multiply-adds, stream the best of several loops \
            that read memory larger than the caches, on the processor and on the device, in turns with the call; medians \
            throughout. Decode shapes (one query) go round copies of keys and values of four times the last-level cache. \
            A share over 1 is a wrong measurement: exit status 1.
            """)

    @Option(help: ArgumentHelp("Time this shape; without it a standard list.", valueName: "B,Hq,Hkv,Lq,Lk,D[,Dv]"))
    var shape: String?

    @Option(help: ArgumentHelp("Time a linear layer.", valueName: "rows,inputs,outputs"))
    var linear: String?

    @Option(help: ArgumentHelp("Time a sentence model, with --texts.", valueName: "dir"))
    var model: String?

    @Option(help: ArgumentHelp("A file with a text a line, for --model.", valueName: "file"))
    var texts: String?

    @Option(help: "Storage of the operands of --shape, of the weights of --linear and --model: f32, f16 or bf16.")
    var dtype = StorageType.f32

    @Flag(help: "A causal mask, with --shape.")
    var causal = false

    @Option(help: ArgumentHelp("Keys more than this before a query are excluded, with --shape.", valueName: "keys"))
    var windowLeft: Int?

    @Option(help: ArgumentHelp("How many samples to take.", valueName: "n"))
    var `repeat` = 15

    @OptionGroup var kernels: KernelOptions
    @OptionGroup var common: CommonOptions

    enum StorageType: String, ExpressibleByArgument, CaseIterable {
        case f32, f16, bf16

        var elementType: ElementType {
            switch self {
            case .f32: .float32
            case .f16: .float16
            case .bf16: .bfloat16
            }
        }
    }

    mutating func validate() throws {
        if let shape, BenchShape(shape) == nil {
            throw ValidationError(
                "--shape: expected B,Hq,Hkv,Lq,Lk,D[,Dv], numbers from 1 on, Hq a multiple of Hkv; found '\(shape)'")
        }
        if let linear, LinearShape(linear) == nil {
            throw ValidationError("--linear: expected ROWS,INPUTS,OUTPUTS, numbers from 1 on; found '\(linear)'")
        }
        if [shape, linear, model].filter({ $0 != nil }).count > 1 {
            throw ValidationError("--shape, --linear and --model: expected one of them, found more")
        }
        if (model == nil) != (texts == nil) {
            throw ValidationError("--model and --texts: expected both, found one")
        }
        if shape == nil, causal || windowLeft != nil || (dtype != .f32 && linear == nil && model == nil) {
            throw ValidationError("--causal, --window-left and --dtype: expected together with --shape, found without")
        }
        if let windowLeft, windowLeft < 0 {
            throw ValidationError("--window-left: expected 0 or more, found \(windowLeft)")
        }
        if !(1...100_000).contains(`repeat`) {
            throw ValidationError("--repeat: expected 1 to 100000, found \(`repeat`)")
        }
    }

    func run() throws {
        do { try execute() } catch { throw CommandFailure(error) }
    }

    private var shapes: [BenchShape] {
        guard let shape, var single = BenchShape(shape) else { return BenchShape.standard }
        single.type = dtype.elementType
        single.isCausal = causal
        single.windowLeft = windowLeft
        return [single]
    }

    private func execute() throws {
        let device = try DeviceChoice.one(common)
        if benchmark_loops_optimised() == 0 {
            Console.note("warning: this build is not optimised, its native loops are slow; use swift build -c release")
        }
        if model != nil || linear != nil { try device.useLayers(ofFamily: kernels.family.name) }
        if let model, let texts { return try benchModel(model, texts, device) }
        var loops: [any PeakLoops] = [try NativeLoops(threads: common.threads, widest: common.isa)]
        if let own = try OpenCLLoops(device) { loops.append(own) }
        var results: [BenchResult] = []
        var table = BenchTable()
        if let linear, var shape = LinearShape(linear) {
            shape.type = dtype.elementType
            results.append(try LinearBench(device: device, rounds: `repeat`, loops: loops).measure(shape))
        } else {
            let bench = Bench(device: device, policy: kernels.policy, rounds: `repeat`, loops: loops)
            let progress = Progress()
            let shapes = self.shapes
            for (index, shape) in shapes.enumerated() {
                progress.update("\(index + 1) of \(shapes.count): \(shape.label) \(shape.type)")
                results.append(try bench.measure(shape))
            }
            progress.clear()
        }
        results.forEach { table.add($0) }
        if common.json {
            Console.line(JSON.object([("results", .array(results.map(\.json)))]).text)
        } else {
            table.printed()
        }
        for result in results {
            if let problem = result.problem { throw CommandFailure(.checkFailed, "\(result.shape.label): \(problem)") }
        }
    }

    private func benchModel(_ folder: String, _ path: String, _ device: Device) throws {
        let bench = ModelBench(
            device: device, folder: folder, texts: try ModelBench.texts(path: path), rounds: `repeat`,
            weights: dtype == .f32 ? nil : dtype.elementType)
        let result = try bench.measure()
        if common.json {
            Console.line(JSON.object([("results", .array([result.json]))]).text)
        } else {
            Console.line("device: \(device.description.name) (\(device.description.platform))")
            Console.line("\(result.check.isPassed ? "checked" : "WRONG"): \(result.check)")
            if let times = result.times {
                Console.line(
                    "\(result.texts) texts, \(result.tokens) tokens: \(Pretty.fixed(times.median * 1e3, 1)) ms, "
                        + "\(Pretty.fixed(Double(result.texts) / times.median, 0)) texts a second; the shortest alone "
                        + "\(Pretty.fixed(times.single * 1e3, 3)) ms")
            }
        }
        if let problem = result.problem { throw CommandFailure(.checkFailed, "--model: \(problem)") }
    }
}
