import ArgumentParser
import Attention

/// `attend conform`: case files against the reference and against the values that they store.
struct ConformCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conform", abstract: "Runs case files that hold expected outputs.",
        discussion: """
            Each result is held to the gates against a fresh reference, and to the file's own values within its rtol \
            and atol; with --precision fast to the gates alone, as the files' tolerances are those of float. Files of \
            single layers, as `attend layer` runs them, are held to their own outputs within 5e-6 of the largest value. \
            Files without expected outputs are skipped, and so are cases that the device cannot run. No case \
            falls back to another device. Exit status 1 if any case fails.
            """)

    @Argument(help: ArgumentHelp("Case files, or folders of .safetensors files.", valueName: "path"))
    var paths: [String]

    @OptionGroup var attention: AttentionFlags
    @OptionGroup var kernels: KernelOptions
    @OptionGroup var common: CommonOptions

    private struct Failure {
        let name: String
        let device: String
        let finding: CaseFinding
    }

    private struct Tally {
        var cases = 0
        var failed = 0
        var skipped = 0
        var failures: [Failure] = []
    }

    func run() throws {
        do { try execute() } catch { throw CommandFailure(error) }
    }

    private func execute() throws {
        let files = try CaseFolders.files(paths)
        // A test of its own: what is quarantined has to be run all the same.
        SelfTest.mode = .off
        let devices = try DeviceChoice.several(common)
        var tally = Tally()
        let progress = Progress()
        for (index, path) in files.enumerated() {
            progress.update("\(index) of \(files.count) files, \(tally.failed) failed")
            do {
                try check(path, devices, &tally, progress)
            } catch {
                progress.clear()
                throw CommandFailure(error, file: Console.oneLine(path))
            }
        }
        progress.clear()
        if common.json {
            Console.line(json(tally).text)
        } else {
            Console.line("\(tally.cases) cases, \(tally.failed) failed, \(tally.skipped) skipped")
        }
        if tally.failed > 0 { throw CommandFailure.checkFailed }
    }

    private func check(_ path: String, _ devices: [Device], _ tally: inout Tally, _ progress: Progress)
        throws
    {
        if let layer = try LayerCaseFile(path: path) { return try check(layer, path, devices, &tally, progress) }
        let file = try CaseFile(path: path)
        let settings = file.settings(attention)
        let inputs = try file.inputs(settings)
        let problem = try AttentionProblem(inputs, settings.options)
        guard file.hasExpectations else {
            for device in devices { skip(path, device, "holds no expected outputs", &tally, progress) }
            return
        }
        let judge = try CaseJudge(
            file: file, settings: settings, inputs: inputs, problem: problem, precision: kernels.precision)
        for device in devices {
            try check(path, device, &tally, progress, output: "Y") {
                let call = try device.attend(inputs, settings.options, policy: kernels.policy, fallback: .never)
                return (call.report.kernel, try judge.findings(call.outputs))
            }
        }
    }

    private func check(
        _ layer: LayerCaseFile, _ path: String, _ devices: [Device], _ tally: inout Tally, _ progress: Progress
    ) throws {
        for device in devices {
            guard layer.hasExpectations else {
                skip(path, device, "holds no expected outputs", &tally, progress)
                continue
            }
            try check(path, device, &tally, progress, output: "outputs") {
                try device.useLayers(ofFamily: kernels.family.name)
                return ("layer", try layer.findings(on: device))
            }
        }
    }

    /// One case on one device.
    ///
    /// - Parameter output: what stands for all results where there are none.
    private func check(
        _ path: String, _ device: Device, _ tally: inout Tally, _ progress: Progress, output: String,
        _ run: () throws -> (kernel: String, findings: [CaseFinding])
    ) throws {
        var result: (kernel: String, findings: [CaseFinding])
        do {
            result = try run()
        } catch let AttentionError.unsupported(_, reason) where kernels.leavesChoice {
            return skip(path, device, "cannot run on this device: \(reason)", &tally, progress)
        } catch let AttentionError.deviceFailed(_, detail) {
            result = ("none", [CaseFinding(tensor: output, gate: "error", ratio: .infinity, detail: detail)])
        }
        tally.cases += 1
        if !result.findings.isEmpty { tally.failed += 1 }
        tally.failures += result.findings.map {
            Failure(name: path, device: device.description.selector, finding: $0)
        }
        report(path, device, result.kernel, result.findings, progress)
    }

    private func skip(
        _ path: String, _ device: Device, _ reason: String, _ tally: inout Tally, _ progress: Progress
    ) {
        tally.cases += 1
        tally.skipped += 1
        guard !common.json else { return }
        progress.clear()
        Console.line("skipped  \(device.description.selector)  \(Console.oneLine(path)): \(reason)")
    }

    private func report(
        _ path: String, _ device: Device, _ kernel: String, _ findings: [CaseFinding],
        _ progress: Progress
    ) {
        guard !common.json else { return }
        progress.clear()
        let verdict = findings.isEmpty ? "passed " : "FAILED "
        let reasons = findings.map { finding in
            let ratio = finding.ratio.isFinite ? " ×\(Pretty.fixed(finding.ratio, 3))" : ""
            return "\(finding.tensor) \(finding.gate)\(ratio)" + (finding.detail.map { " (\($0))" } ?? "")
        }
        Console.line(
            Console.oneLine(
                "\(verdict)  \(device.description.selector)  \(kernel)  \(path)"
                    + (reasons.isEmpty ? "" : ": " + reasons.joined(separator: ", "))))
    }

    private func json(_ tally: Tally) -> JSON {
        .object([
            ("cases", .int(tally.cases)), ("failed", .int(tally.failed)), ("skipped", .int(tally.skipped)),
            (
                "failures",
                .array(
                    tally.failures.map { failure in
                        .object([
                            ("case", .string(failure.name)), ("device", .string(failure.device)),
                            ("tensor", .string(failure.finding.tensor)), ("gate", .string(failure.finding.gate)),
                            ("ratio", .ratio(failure.finding.ratio)),
                        ])
                    })
            ),
        ])
    }
}
