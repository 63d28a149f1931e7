import ArgumentParser
import Attention
import TensorFiles

/// `attend run`: one file in, one file out.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Attention over the tensors of a .safetensors file.",
        discussion: """
            IN holds Q, K, V (or query, key, value) and optionally attn_mask, past_key, past_value, nonpad_kv_seqlen, \
            alibi_slopes, sinks, cu_seqlens_q and cu_seqlens_k. Options may stand in its metadata under ONNX's names; a \
            flag wins. OUT gets Y; present_key and present_value where past ones were given; qk_matmul_output and \
            log_sum_exp where they were asked for or IN holds them. OUT is written whole or not at all.
            """)

    @Argument(help: ArgumentHelp("The file to read.", valueName: "in"))
    var input: String

    @Option(name: [.short, .long], help: ArgumentHelp("The file to write.", valueName: "out"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "Give a device up that has no answer within this time, builds included, and go on as --fallback says.",
            valueName: "seconds"))
    var timeLimit: Double?

    @OptionGroup var attention: AttentionFlags
    @OptionGroup var kernels: KernelOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard let timeLimit, !(timeLimit > 0 && timeLimit < 1e9) else { return }
        throw ValidationError("--time-limit: expected seconds above 0 and below 1e9, found \(timeLimit)")
    }

    func run() throws {
        var device: Device?
        var failure: CommandFailure?
        do { try execute(&device) } catch { failure = CommandFailure(error, file: Console.oneLine(input)) }
        // A driver that is still at work would be taken down under its own feet: nothing of it runs any more.
        if let device, device.statistics.abandonedCalls > 0 { ExitStatus.endAtOnce(failure) }
        if let failure { throw failure }
    }

    private func execute(_ used: inout Device?) throws {
        let file = try CaseFile(path: input)
        let settings = file.settings(attention)
        let inputs = try file.inputs(settings)
        let problem = try AttentionProblem(inputs, settings.options)
        var device = try DeviceChoice.one(common)
        device.timeLimit = timeLimit.map { .seconds($0) }
        used = device
        let call = try device.attend(
            inputs, settings.options, policy: kernels.policy, fallback: common.fallback.policy,
            control: RunControl(isProfiled: true))
        let fallbacks = call.fallbacks(of: device, common)
        fallbacks.forEach { Console.note("fallback: \($0.from): \($0.reason)") }
        if let output {
            let tensors = try call.outputs.named.map { try $0.tensor.fileTensor(named: $0.name) }
            try TensorFile.write(tensors, to: output)
        }
        // Tolerances of files are those of float.
        let expected = kernels.precision == .standard ? file.expected("Y") : nil
        let agreement = try expected.map {
            try Comparison(call.outputs.output, stored: $0, settings: settings)
        }
        if common.json {
            Console.line(json(call, fallbacks, problem, agreement).text)
        } else {
            describe(call, problem, agreement)
        }
    }

    private func json(
        _ call: AttentionResult, _ fallbacks: [(from: String, reason: String)], _ problem: AttentionProblem,
        _ agreement: Comparison?
    ) -> JSON {
        var members: [(String, JSON)] = [
            ("device", .device(call.device)), ("kernel", .string(call.report.kernel)),
            ("fallbacks", .fallbacks(fallbacks)),
            (
                "milliseconds",
                .object([("total", .double(call.milliseconds)), ("kernel", .optional(call.kernelMilliseconds))])
            ),
            ("shape", .shape(problem.shape)), ("scratch_bytes", .int(call.report.scratchBytes)),
            ("build", .string(call.report.build.rawValue)),
            ("notes", .array(call.report.notes.map { .string($0) })),
        ]
        if let agreement {
            members.append(
                (
                    "agreement",
                    .object([
                        ("largest_error", .ratio(agreement.largestError)), ("ratio", .ratio(agreement.ratio)),
                        ("passes", .bool(agreement.passes)),
                    ])
                ))
        }
        return .object(members)
    }

    private func describe(_ call: AttentionResult, _ problem: AttentionProblem, _ agreement: Comparison?) {
        let shape = problem.shape
        Console.line("device     \(call.device.name) (\(call.device.platform), \(call.device.selector))")
        Console.line("kernel     \(call.report.kernel), \(Self.words(call.report.build))")
        var time = "\(Pretty.fixed(call.milliseconds, 3)) ms"
        if let kernel = call.kernelMilliseconds { time += ", of which \(Pretty.fixed(kernel, 3)) ms in kernels" }
        Console.line("time       \(time)")
        Console.line(
            "shape      batch \(shape.batch), heads \(shape.queryHeads)/\(shape.keyValueHeads), "
                + "\(shape.queryLength) queries × \(shape.keyLength) keys, dimensions "
                + "\(shape.headDimension)/\(shape.valueDimension), \(problem.queryType)")
        for note in call.report.notes { Console.line("note       \(Console.oneLine(note))") }
        Console.line("scratch    \(Pretty.bytes(call.report.scratchBytes))")
        if let agreement {
            Console.line(
                "agreement  largest difference from the file's Y \(Pretty.scientific(agreement.largestError)), "
                    + "\(Pretty.fixed(agreement.ratio, 3)) of what is allowed"
                    + (agreement.passes ? "" : ": DOES NOT AGREE"))
        }
        if let output { Console.line("written    \(Console.oneLine(output))") }
    }

    private static func words(_ build: RunReport.Build) -> String {
        switch build {
        case .cached: "from the program cache"
        case .compiled: "compiled by the driver"
        case .native: "part of this program"
        }
    }
}
