import ArgumentParser
import Attention
import TensorFiles
import Transformers

/// `attend layer`: one layer with its weights and inputs in, its outputs out.
struct LayerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layer", abstract: "Runs one layer out of a .safetensors file.",
        discussion: """
            The metadata's config is JSON whose type is nn.MultiheadAttention, nn.Transformer, additive or memory-network, with \
            the arguments that PyTorch's constructors take. Tensors are weights.NAME by PyTorch's parameter names and \
            inputs.NAME; outputs.NAME, where they are there, are compared with. OUT gets outputs.NAME, whole or not at all.
            """)

    @Argument(help: ArgumentHelp("The file to read.", valueName: "in"))
    var input: String

    @Option(name: [.short, .long], help: ArgumentHelp("The file to write.", valueName: "out"))
    var output: String?

    @OptionGroup var family: FamilyOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        do { try execute() } catch { throw CommandFailure(error, file: Console.oneLine(input)) }
    }

    private func execute() throws {
        let file = try TensorFile(path: input)
        let layer = try LayerFile(file)
        let device = try DeviceChoice.one(common)
        try device.useLayers(ofFamily: family.name)
        let pass = ForwardPass(device, fallback: common.fallback.policy)
        let start = ContinuousClock.now
        let found = try layer.run(on: device, pass: pass)
        let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
        let results = try layer.outputs.compactMap { name in
            try found[name].map { (name: "outputs.\(name)", tensor: try $0.onHost()) }
        }
        if let output {
            try TensorFile.write(try results.map { try $0.tensor.fileTensor(named: $0.name) }, to: output)
        }
        let fallbacks = pass.reportedFallbacks()
        let agreements = try results.compactMap { try LayerAgreement($0.name, $0.tensor, in: file) }
        if common.json {
            Console.line(json(layer.type, device, milliseconds, agreements, fallbacks).text)
        } else {
            Console.line("type       \(layer.type)")
            Console.line(
                "device     \(device.description.name) (\(device.description.platform), \(device.description.selector))"
            )
            Console.line("time       \(Pretty.fixed(milliseconds, 3)) ms")
            for (name, tensor) in results { Console.line("output     \(name) \(tensor.shape)") }
            for agreement in agreements { Console.line("agreement  \(agreement.text)") }
            if let output { Console.line("written    \(Console.oneLine(output))") }
        }
    }

    private func json(
        _ type: String, _ device: Device, _ milliseconds: Double, _ agreements: [LayerAgreement],
        _ fallbacks: [(from: String, reason: String)]
    ) -> JSON {
        .object([
            ("type", .string(type)), ("device", .device(device.description)),
            ("fallbacks", .fallbacks(fallbacks)), ("milliseconds", .double(milliseconds)),
            (
                "agreement",
                .object(
                    agreements.map { agreement in
                        (
                            agreement.name,
                            .object([
                                ("largest_error", .ratio(agreement.error)), ("ratio", .ratio(agreement.ratio)),
                                ("passes", .bool(agreement.passes)),
                            ])
                        )
                    })
            ),
        ])
    }
}
