import Attention

/// Something that `bench` times.
protocol BenchWork {
    var label: String { get }
    var type: ElementType { get }
    /// Bytes that one call has to move at least.
    var movedBytes: Int { get }
    /// True if a call is bound by reading its operands from memory, so that its share of the stream means something.
    var isBoundByReading: Bool { get }
    /// What it is, in the JSON of a result.
    var json: [(String, JSON)] { get }
}

/// What `bench` found for one shape.
struct BenchResult {
    let device: DeviceDescription
    let kernel: String
    let shape: any BenchWork
    /// What was held to the reference.
    let coverage: String
    /// The gate that does not hold.
    let failure: CaseFinding?
    /// `nil` if the result was wrong, and so not worth timing.
    let measurement: BenchMeasurement?
    /// Floating-point operations of one call, two for a multiply-add: of attention, for each pair that is not excluded.
    let flops: Double

    private func rate(_ amount: Double) -> Double? { measurement.map { amount / $0.medianSeconds * 1e-9 } }

    var gflops: Double? { rate(flops) }
    var gbps: Double? { rate(Double(shape.movedBytes)) }
    var shareOfPeak: Double? { share(gflops, measurement?.peak.rate) }
    var shareOfStream: Double? { shape.isBoundByReading ? share(gbps, measurement?.stream.rate) : nil }

    private func share(_ part: Double?, _ whole: Double?) -> Double? {
        guard let part, let whole, whole > 0 else { return nil }
        return part / whole
    }

    /// Why this result is not to be trusted.
    var problem: String? {
        if let failure {
            return "expected the reference's result, found \(failure.gate) ×\(Pretty.fixed(failure.ratio, 3))"
        }
        if let share = shareOfPeak, share > 1 {
            return "expected a share of peak of at most 1, found \(Pretty.fixed(share, 3)): a wrong measurement"
        }
        if let share = shareOfStream, share > 1 {
            return "expected a share of stream of at most 1, found \(Pretty.fixed(share, 3)): a wrong measurement"
        }
        return nil
    }

    var json: JSON {
        .object(
            [
                ("device", .device(device)), ("kernel", .string(kernel)),
            ] + shape.json + [
                ("dtype", .string("\(shape.type)")), ("verified", .bool(failure == nil)),
                ("verified_part", .string(coverage)),
                ("median_ms", .optional(measurement.map { $0.medianSeconds * 1e3 })),
                ("min_ms", .optional(measurement.map { $0.smallestSeconds * 1e3 })), ("gflops", .optional(gflops)),
                ("peak_gflops", .optional(measurement?.peak.rate)), ("peak_loop", .optional(measurement?.peak.kind)),
                ("share_of_peak", .optional(shareOfPeak)), ("gbps", .optional(gbps)),
                ("stream_gbps", .optional(measurement?.stream.rate)),
                ("stream_loop", .optional(measurement?.stream.kind)), ("share_of_stream", .optional(shareOfStream)),
            ])
    }
}

/// The results for people.
struct BenchTable {
    private var table = Table(
        [
            "shape", "type", "kernel", "checked", "median ms", "min ms", "GFLOP/s", "peak", "share", "GB/s", "stream",
            "share",
        ], rightAligned: [4, 5, 6, 7, 8, 9, 10, 11])
    private var notes: [String] = []

    mutating func add(_ result: BenchResult) {
        func number(_ value: Double?, _ places: Int) -> String { value.map { Pretty.fixed($0, places) } ?? "-" }
        let measurement = result.measurement
        table.add([
            result.shape.label, "\(result.shape.type)", result.kernel,
            result.failure == nil ? result.coverage : "WRONG",
            number(measurement.map { $0.medianSeconds * 1e3 }, 3),
            number(measurement.map { $0.smallestSeconds * 1e3 }, 3), number(result.gflops, 1),
            number(measurement?.peak.rate, 1), number(result.shareOfPeak, 3), number(result.gbps, 1),
            number(measurement?.stream.rate, 1), number(result.shareOfStream, 3),
        ])
        if notes.isEmpty { notes.append("device: \(result.device.name) (\(result.device.platform))") }
    }

    func printed() {
        notes.forEach { Console.line($0) }
        table.printed()
    }
}
