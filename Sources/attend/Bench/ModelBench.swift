import Attention
import Foundation
import Transformers

/// Times a sentence model: all texts, and the shortest alone. What it gives is checked by `attend embed`'s tests, not here.
struct ModelBench {
    let device: Device
    let folder: String
    let texts: [String]
    let rounds: Int
    let weights: ElementType?

    struct Result {
        let device: DeviceDescription
        let texts: Int
        let tokens: Int
        let medianSeconds: Double
        let smallestSeconds: Double
        /// The shortest text alone.
        let singleSeconds: Double

        var json: JSON {
            .object([
                ("device", .device(device)), ("kernel", .string("model")), ("texts", .int(texts)),
                ("tokens", .int(tokens)), ("median_ms", .double(medianSeconds * 1e3)),
                ("min_ms", .double(smallestSeconds * 1e3)), ("single_ms", .double(singleSeconds * 1e3)),
                ("texts_per_second", .double(Double(texts) / medianSeconds)),
            ])
        }
    }

    /// The lines of a file.
    static func texts(path: String) throws -> [String] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.badInput, "\(Console.oneLine(path)): expected a file of texts, found none")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure(.badInput, "\(Console.oneLine(path)): expected UTF-8, found other bytes")
        }
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        guard !lines.isEmpty else {
            throw CommandFailure(.badInput, "\(Console.oneLine(path)): expected a text a line, found none")
        }
        return lines
    }

    func measure() throws -> Result {
        let encoder = try SentenceEncoder(folder: ModelFolder(path: folder), weightType: weights, device: device)
        let pass = ForwardPass(device, fallback: .never)
        func seconds(_ texts: [String]) throws -> Double {
            let clock = ContinuousClock()
            return try clock.measure { _ = try encoder.embeddings(texts, pass: pass) } / .seconds(1)
        }
        // Programs are built, threads started and memory taken before anything counts.
        let found = try encoder.embeddings(texts, pass: pass)
        let shortest = found.indices.min { found[$0].tokens.count < found[$1].tokens.count } ?? 0
        var all: [Double] = []
        for _ in 0..<rounds { all.append(try seconds(texts)) }
        var single: [Double] = []
        for _ in 0..<30 { single.append(try seconds([texts[shortest]])) }
        return Result(
            device: device.description, texts: texts.count, tokens: found.reduce(0) { $0 + $1.tokens.count },
            medianSeconds: BenchMeasurement.median(all), smallestSeconds: all.min() ?? 0,
            singleSeconds: BenchMeasurement.median(single))
    }
}
