import Attention
import TensorFiles
import Testing
import Transformers

@Suite struct LayerFileTests {
    static let names = [
        "additive-bahdanau-0", "additive-keras-1", "memory-network-0", "mha-add_bias_kv-0", "mha-add_zero_attn-0",
        "mha-bias-0", "mha-kdim-vdim-0", "mha-kdim-vdim-add_bias_kv-add_zero_attn-0", "mha-plain-0",
        "transformer-post-gelu-bias", "transformer-post-relu-bias", "transformer-pre-gelu-bias",
        "transformer-pre-relu-bias",
    ]

    /// Every output to 5·10⁻⁶ of its largest value.
    @Test(.enabled(if: Shared.exists, "../shared is not there"), arguments: names, Devices.all)
    func agreesWithPyTorch(name: String, device: Device) throws {
        let file = try TensorFile(path: "\(Shared.path)/conformance/layers/\(name).safetensors")
        let layer = try LayerFile(file)
        let found = try layer.run(on: device)
        #expect(Set(found.keys) == Set(layer.outputs))
        for (output, tensor) in found {
            let entry = try file.entry(named: "outputs.\(output)")
            #expect(tensor.shape == entry.shape)
            let expected = try Tensor(
                bytes: file.bytes(of: entry.name), shape: entry.shape, elementType: .float32
            ).doubles()
            let scale = expected.reduce(0) { max($0, abs($1)) }
            let error = zip(try tensor.doubles(), expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
            #expect(error <= 5e-6 * scale, "\(name) \(output) on \(device.description.name): \(error / scale)")
        }
    }
}
