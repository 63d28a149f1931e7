import Attention
import Foundation
import Transformers

/// Times a sentence model, once some of what it gives is held to the reference: all texts, and the shortest alone.
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
        let check: EmbeddingCheck
        /// `nil` if the vectors were wrong, and so not worth timing.
        let times: Times?

        struct Times {
            let median: Double
            let smallest: Double
            /// The shortest text alone.
            let single: Double
        }

        /// Why this result is not to be trusted.
        var problem: String? { check.isPassed ? nil : "expected the reference's vectors, found: \(check)" }

        var json: JSON {
            .object([
                ("device", .device(device)), ("kernel", .string("model")), ("texts", .int(texts)),
                ("tokens", .int(tokens)), ("verified", .bool(check.isPassed)),
                ("verified_part", .string("\(check)")), ("median_ms", .optional(times.map { $0.median * 1e3 })),
                ("min_ms", .optional(times.map { $0.smallest * 1e3 })),
                ("single_ms", .optional(times.map { $0.single * 1e3 })),
                ("texts_per_second", .optional(times.map { Double(texts) / $0.median })),
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
        let folder = try ModelFolder(path: folder)
        let encoder = try SentenceEncoder(folder: folder, weightType: weights, device: device)
        let pass = ForwardPass(device, fallback: .never)
        func seconds(_ texts: [String]) throws -> Double {
            let clock = ContinuousClock()
            return try clock.measure { _ = try encoder.embeddings(texts, pass: pass) } / .seconds(1)
        }
        // Programs are built, threads started and memory taken before anything counts.
        let found = try encoder.embeddings(texts, pass: pass)
        let check = try EmbeddingCheck(found, of: texts, folder: folder, weightType: weights)
        let tokens = found.reduce(0) { $0 + $1.tokens.count }
        guard check.isPassed else {
            return Result(device: device.description, texts: texts.count, tokens: tokens, check: check, times: nil)
        }
        let shortest = found.indices.min { found[$0].tokens.count < found[$1].tokens.count } ?? 0
        var all: [Double] = []
        for _ in 0..<rounds { all.append(try seconds(texts)) }
        var single: [Double] = []
        for _ in 0..<30 { single.append(try seconds([texts[shortest]])) }
        let times = Result.Times(
            median: BenchMeasurement.median(all), smallest: all.min() ?? 0, single: BenchMeasurement.median(single))
        return Result(device: device.description, texts: texts.count, tokens: tokens, check: check, times: times)
    }
}
