import AttentionCore
import OpenCLRuntime

/// The staged rung: scores, softmax, weighted sum, each a kernel of its own with the scores in scratch memory between them.
final class StagedPlan: BackendPlan {
    let explanation: PlanExplanation
    let backend: OpenCLBackend
    let tiles: StagedTiles
    let programs: StagedPrograms
    private let policy: PlanPolicy

    init(_ problem: AttentionProblem, _ policy: PlanPolicy, _ backend: OpenCLBackend) throws(AttentionError) {
        self.backend = backend
        self.policy = policy
        tiles = try backend.stagedTiles(policy)
        let longest = max(problem.shape.keyLength, problem.shape.headDimension)
        guard longest <= tiles.loopLimit else {
            throw .unsupported(
                device: backend.device.name,
                reason: "\(longest) keys or depths are more than the \(tiles.loopLimit) of its scalar kernels")
        }
        programs = try StagedPrograms(problem, tiles, backend)
        let passes = StagedPass.passes(problem, tiles, limit: backend.scratchLimit(policy, tiles))
        let scratchBytes = passes.map(\.scratch.byteCount).max() ?? 0
        var choices = [
            "kernels: scores → softmax → weighted_sum, the scores in scratch memory",
            "lanes: \(tiles.lanes) queries to a vector, as the native float width of \(backend.nativeWidth) has it",
            "tile: \(tiles.tileQ) queries × \(tiles.tileK) keys, \(tiles.tileV) value columns (\(tiles.measured))",
            "scratch: \(scratchBytes) bytes, \(passes.map(\.scratch.pieces.count).max() ?? 0) piece(s)",
        ]
        choices += programs.notes
        if policy.family != nil { choices.append("family: \(policy.family ?? "") as the caller asked") }
        explanation = PlanExplanation(kernel: "staged", choices: choices, scratchBytes: scratchBytes)
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        try control.check()
        let passes = StagedPass.passes(problem, tiles, limit: backend.scratchLimit(policy, tiles))
        let timer = LaunchTimer(isOn: control.isProfiled)
        let (problem, inputs) = try StagedPlan.withSinglePrecisionMask(problem, inputs)
        try backend.withQueue(isProfiled: control.isProfiled) { (queue) throws(AttentionError) in
            let run = try asAttentionError(backend.device.name) { () throws(OpenCLError) in
                try StagedRun(self, problem, inputs, outputs, queue, passes: passes, timer: timer)
            }
            try run.execute { () throws(AttentionError) in try control.check() }
        }
        return RunReport(
            kernel: "staged", build: programs.build, scratchBytes: passes.map(\.scratch.byteCount).max() ?? 0,
            kernelNanoseconds: try asAttentionError(backend.device.name) { () throws(OpenCLError) in try timer.total()
            },
            notes: programs.notes)
    }

    /// Kernels have no `float64`: such a mask is rounded here. A finite number stays finite, since only −∞ excludes.
    private static func withSinglePrecisionMask(
        _ problem: AttentionProblem, _ inputs: AttentionInputs
    ) throws(AttentionError) -> (AttentionProblem, AttentionInputs) {
        guard let mask = inputs.mask.tensor, mask.elementType == .float64 else { return (problem, inputs) }
        let most = Double(Float.greatestFiniteMagnitude)
        let rounded = try mask.doubles().map { Float($0.isFinite ? min(max($0, -most), most) : $0) }
        var inputs = inputs
        let tensor = try Tensor(rounded, shape: mask.shape)
        inputs.mask.tensor = tensor
        return (try problem.replacingMask(tensor), inputs)
    }
}

/// The programs a plan needs, built or loaded when it is made.
struct StagedPrograms: Sendable {
    let scores: Program
    let softmax: Program
    let weightedSum: Program
    let scoreOutput: Program?
    let concatenateKey: Program?
    let concatenateValue: Program?
    let build: RunReport.Build
    /// What was wrong with the cache on disk.
    let notes: [String]

    init(_ problem: AttentionProblem, _ tiles: StagedTiles, _ backend: OpenCLBackend) throws(AttentionError) {
        guard let query = StagedKernel.Storage(problem.queryType), let value = StagedKernel.Storage(problem.valueType)
        else {
            throw .unsupported(device: backend.device.name, reason: "its kernels have no f64 storage")
        }
        let mask = StagedKernel.Mask(problem.maskType)
        var build = RunReport.Build.cached
        var notes: [String] = []
        func program(_ step: StagedKernel.Step) throws(AttentionError) -> Program {
            let (program, outcome) = try backend.program(.staged(StagedKernel(step: step, tiles: tiles)))
            guard case .compiled(let reason, let notStored) = outcome else { return program }
            build = .compiled
            for problem in [reason, notStored] {
                guard let problem, problem != .notFound, problem != .off else { continue }
                let note = "program cache: \(problem)"
                if !notes.contains(note) { notes.append(note) }
            }
            return program
        }
        scores = try program(.scores(query))
        softmax = try program(.softmax(mask))
        weightedSum = try program(.weightedSum(value: value, output: query))
        if let scores = problem.scores {
            let needsMask = scores == .masked
            scoreOutput = try program(.scoreOutput(query, needsMask ? mask : .none, scores))
        } else {
            scoreOutput = nil
        }
        let hasPast = problem.hasPast
        concatenateKey = hasPast ? try program(.concatenate(elementBytes: problem.queryType.byteCount)) : nil
        concatenateValue = hasPast ? try program(.concatenate(elementBytes: problem.valueType.byteCount)) : nil
        self.build = build
        self.notes = notes
    }
}

/// How much scratch memory a call takes, and the pieces it is cut into to stay below a limit.
struct StagedScratch {
    let pieces: [StagedPiece]
    /// Keys between the scores of two tiles.
    let keyStride: Int
    /// The scores and the inverse sums of the largest piece.
    let byteCount: Int
    let scoreBytes: Int

    init(segments: [Segment], heads: Int, _ tiles: StagedTiles, limit: Int) {
        keyStride = max(segments.map(\.keyCount).max() ?? 0, 1)
        let longest = segments.map(\.queryCount).max() ?? 0
        let perSegment = (longest + tiles.tileQ - 1) / tiles.tileQ
        let tileBytes = (keyStride + 1) * tiles.tileQ * MemoryLayout<Float>.stride
        pieces = StagedPiece.pieces(
            segments: segments.count, heads: heads, tiles: perSegment, limit: limit / tileBytes)
        let most = pieces.map(\.tileCount).max() ?? 0
        scoreBytes = most * keyStride * tiles.tileQ * MemoryLayout<Float>.stride
        byteCount = most * tileBytes
    }
}
