import AttentionCore
import Dispatch
import Locking

/// Runs the whole contract of attention on a backend: edges, options alone and in pairs, hostile numbers, bits, memory, bad calls.
///
/// ```swift
/// let report = try Verifier.run(backend: backend, VerificationOptions(cases: .quick, seed: 7))
/// print(report)
/// ```
/// The results are held to the bounds of SEMANTICS.md against the Double reference. Every tensor that a call writes starts out as NaN
/// between bytes that must stay; every byte of the operands is compared afterwards.
public enum Verifier {
    /// Verifies a backend. On the reference itself, only edges and bad calls run: it cannot be judged by itself.
    ///
    /// - Parameters:
    ///   - backend: what is verified.
    ///   - options: how many cases, from which seed, and which of them.
    ///   - progress: called after each case, on the caller's thread, with the cases done and all that there are.
    /// - Throws: `AttentionError` if a case cannot be made. What goes wrong on the backend is a failure in the report instead.
    /// - Complexity: some 700 calls for `quick`, some thousands for `full`, and a reference evaluation of each.
    public static func run(
        backend: any Backend, _ options: VerificationOptions = .init(), progress: ((Int, Int) -> Void)? = nil
    ) throws(AttentionError) -> VerificationReport {
        var session = VerificationSession(backend: backend, options)
        try session.run(progress)
        return session.report
    }

    /// The ids of the cases that ``run(backend:_:progress:)`` would run, in its order.
    public static func ids(backend: any Backend, _ options: VerificationOptions = .init()) -> [String] {
        VerificationSession(backend: backend, options).ids
    }
}

/// One verification under way.
struct VerificationSession {
    let backend: any Backend
    let options: VerificationOptions
    private(set) var report: VerificationReport
    private var ran: [CaseSpec] = []

    init(backend: any Backend, _ options: VerificationOptions) {
        self.backend = backend
        self.options = options
        report = VerificationReport(device: backend.device.name, seed: options.seed)
    }

    /// A case with its reference, ready to be run and judged.
    private struct Ready: Sendable {
        let prepared: PreparedCase
        let judge: Judge
    }

    mutating func run(_ progress: ((Int, Int) -> Void)?) throws(AttentionError) {
        let specs = selectedSpecs()
        let badCalls = selectedBadCalls()
        let layers = selectedLayers()
        let total = specs.count + badCalls.count + layers.count
        let runner = CaseRunner(backend: backend, policy: options.policy, seed: options.seed)
        var done = 0
        // References of some cases are evaluated on all cores, then the cases run: devices that are the processor want it whole.
        let batch = options.stopsAtFirstFailure ? 8 : 32
        for call in badCalls {
            record(BadCallRunner(backend: backend, policy: options.policy).run(call), id: call.id)
            done += 1
            progress?(done, total)
            if mustStop { return finish() }
        }
        let family = backend.layerFamily
        let refusal = layers.isEmpty ? nil : choose(options.policy.family ?? family)
        defer { if !layers.isEmpty { _ = choose(family) } }
        for layer in layers {
            let outcome = refusal.map { CaseRunner.Outcome(skipReason: $0) } ?? layer.run(backend, seed: options.seed)
            record(outcome, id: layer.id, group: "layer")
            done += 1
            progress?(done, total)
            if mustStop { return finish() }
        }
        for start in stride(from: 0, to: specs.count, by: batch) {
            let chunk = Array(specs[start..<min(start + batch, specs.count)])
            for (index, ready) in try prepare(chunk).enumerated() {
                record(runner.run(ready.prepared, ready.judge), id: chunk[index].id, spec: chunk[index])
                done += 1
                progress?(done, total)
                if mustStop { return finish() }
            }
        }
        finish()
    }

    /// Has layers computed by a family of kernels, unless the backend says why not.
    private func choose(_ family: String?) -> String? {
        do throws(AttentionError) {
            try backend.useLayers(ofFamily: family)
            return nil
        } catch {
            return error.reason
        }
    }

    private var mustStop: Bool { options.stopsAtFirstFailure && report.failed > 0 }

    private func matches(_ id: String) -> Bool { options.filter.map { id.contains($0) } ?? true }

    var ids: [String] { selectedBadCalls().map(\.id) + selectedLayers().map(\.id) + selectedSpecs().map(\.id) }

    private func selectedBadCalls() -> [BadCall] {
        options.attentionOnly ? [] : BadCall.all.filter { matches($0.id) }
    }

    private func selectedSpecs() -> [CaseSpec] {
        var specs = CaseList.specs(options.cases, seed: options.seed).filter { matches($0.id) }
        if backend.device.kind == .reference { specs = specs.filter { $0.group == .edge } }
        return ranked(specs, \.id)
    }

    /// Those that shall run first, then the others.
    private func ranked<Case>(_ cases: [Case], _ id: (Case) -> String) -> [Case] {
        guard !options.firstCases.isEmpty else { return cases }
        let ranks = cases.map { each in
            let id = id(each)
            return options.firstCases.firstIndex { id.contains($0) } ?? options.firstCases.count
        }
        return cases.indices.sorted { (ranks[$0], $0) < (ranks[$1], $1) }.map { cases[$0] }
    }

    /// Steps of layers, which a kernel of attention that is asked for by name has no part in. The reference defines them.
    private func selectedLayers() -> [LayerCase] {
        guard options.policy.kernel == nil, !options.attentionOnly, backend.device.kind != .reference else { return [] }
        return ranked(LayerCaseList.cases(options.cases, seed: options.seed).filter { matches($0.id) }, \.id)
    }

    private func prepare(_ specs: [CaseSpec]) throws(AttentionError) -> [Ready] {
        let results = Guarded<[Int: Result<Ready, AttentionError>]>([:])
        let (seed, precision) = (options.seed, options.policy.precision)
        DispatchQueue.concurrentPerform(iterations: specs.count) { index in
            let result: Result<Ready, AttentionError>
            do throws(AttentionError) {
                var builder = CaseBuilder(specs[index], seed: seed)
                let prepared = try builder.build()
                result = .success(Ready(prepared: prepared, judge: try Judge(prepared, precision)))
            } catch {
                result = .failure(error)
            }
            results.withLock { $0[index] = result }
        }
        let all = results.withLock { $0 }
        var ready: [Ready] = []
        for index in specs.indices { if let result = all[index] { ready.append(try result.get()) } }
        return ready
    }

    private mutating func record(
        _ outcome: CaseRunner.Outcome, id: String, spec: CaseSpec? = nil, group: String = "bad"
    ) {
        report.cases += 1
        if let reason = outcome.skipReason {
            report.skipped += 1
            report.coverage.skipReasons[reason, default: 0] += 1
            return
        }
        report.coverage.count("kernel", outcome.kernel)
        report.coverage.count("group", spec?.group.rawValue ?? group)
        if let spec {
            for factor in CaseFactor.all { report.coverage.count(factor.name, factor.value(spec)) }
            ran.append(spec)
        }
        if !outcome.findings.isEmpty { report.failed += 1 }
        for finding in outcome.findings {
            report.failures.append(
                VerificationFailure(
                    id: id, seed: options.seed, device: backend.device.name, kernel: outcome.kernel,
                    tensor: finding.tensor, gate: finding.gate, ratio: finding.ratio, detail: finding.detail))
        }
        if outcome.findings.isEmpty {
            for (gate, ratio) in outcome.ratios { report.maxima[gate] = max(report.maxima[gate] ?? 0, ratio) }
        }
    }

    private mutating func finish() {
        let pairs = CaseList.pairwise(options.cases).coverage(of: ran)
        report.coverage.pairsCovered = pairs.covered
        report.coverage.pairsPossible = pairs.possible
        report.coverage.missingPairs = Array(pairs.missing.prefix(12))
    }
}
