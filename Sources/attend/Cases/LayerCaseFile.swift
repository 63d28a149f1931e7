import Attention
import TensorFiles
import Transformers

/// A file of one layer, as a case: its outputs are held to those that it stores.
struct LayerCaseFile {
    private let file: TensorFile
    private let layer: LayerFile

    /// `nil` for a file without a layer's configuration: a case of attention.
    init?(path: String) throws {
        file = try TensorFile(path: path)
        guard file.metadata["config"] != nil else { return nil }
        layer = try LayerFile(file)
    }

    var hasExpectations: Bool { layer.outputs.contains { file["outputs.\($0)"] != nil } }

    /// What does not agree.
    func findings(on device: Device) throws -> [CaseFinding] {
        let found = try layer.run(on: device, pass: ForwardPass(device, fallback: .never))
        return try layer.outputs.compactMap { name in
            guard let tensor = found[name], let agreement = try LayerAgreement("outputs.\(name)", tensor, in: file),
                !agreement.passes
            else { return nil }
            return CaseFinding(tensor: agreement.name, gate: "stored", ratio: agreement.ratio)
        }
    }
}

/// How close an output is to the one that the file holds: the largest difference, as a share of 5·10⁻⁶ of its largest value.
struct LayerAgreement {
    static let tolerance = 5e-6

    let name: String
    let error: Double
    let ratio: Double
    var passes: Bool { ratio <= 1 }

    /// `nil` if the file holds no such output.
    init?(_ name: String, _ tensor: Tensor, in file: TensorFile) throws {
        guard let entry = file[name] else { return nil }
        let reader = TensorReader(file: file)
        let expected = try reader.tensor(entry, allowsBool: false)
        guard expected.shape == tensor.shape else {
            throw reader.failure(name, "shape \(tensor.shape)", "\(expected.shape)")
        }
        let (found, due) = (try tensor.doubles(), try expected.doubles())
        let largest = due.map(abs).max() ?? 0
        // NaN is no agreement.
        let error = zip(found, due).reduce(0.0) { worst, pair in
            let difference = abs(pair.0 - pair.1)
            return difference.isNaN || worst.isNaN ? .nan : max(worst, difference)
        }
        self.name = name
        self.error = error
        ratio = error == 0 ? 0 : error.isNaN ? .infinity : error / (Self.tolerance * largest)
    }

    var text: String {
        "largest difference from the file's \(name) \(Pretty.scientific(error)), \(Pretty.fixed(ratio, 3)) of what is allowed"
            + (passes ? "" : ": DOES NOT AGREE")
    }
}
