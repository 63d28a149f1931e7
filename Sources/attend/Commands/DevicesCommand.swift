import ArgumentParser
import Attention

/// `attend devices`: what there is, and what would be used.
struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists devices, what they report, and which is chosen and why.",
        discussion: "With --device, shows which device that choice would take.")

    @OptionGroup var common: CommonOptions

    private struct Row {
        let description: DeviceDescription
        let family: String?
        let isChosen: Bool
        let reason: String
        let limits: [(name: String, json: JSON)]
        /// Of self-tests with the present driver.
        let verdicts: [KernelVerdict]
    }

    func run() throws {
        do { try execute() } catch { throw CommandFailure(error) }
    }

    private func execute() throws {
        let listing = DeviceListing.current()
        let chosen = common.device == "auto" ? listing.chosen : try DeviceChoice.one(common).description.selector
        let rows = rows(listing, chosen)
        guard !common.json else { return Console.line(json(rows, listing).text) }
        var table = Table(["", "selector", "kind", "family", "name", "platform", "why"])
        for row in rows {
            let d = row.description
            table.add([
                row.isChosen ? "*" : "", d.selector, d.kind.rawValue, row.family ?? "-", d.name, d.platform, row.reason,
            ])
        }
        table.printed()
        for row in rows where !row.limits.isEmpty {
            let limits = row.limits.map { "\($0.name) \($0.json.text)" }.joined(separator: ", ")
            Console.line(Console.oneLine("\(row.description.selector): \(limits)"))
        }
        for row in rows where !row.verdicts.isEmpty {
            let passed = row.verdicts.filter(\.isTrusted)
            Console.line(
                Console.oneLine(
                    "\(row.description.selector): \(passed.count) programs passed their self-test: "
                        + Set(passed.map(\.kernel)).sorted().joined(separator: ", ")))
            for verdict in row.verdicts where !verdict.isTrusted {
                Console.line(
                    Console.oneLine(
                        "\(row.description.selector): \(verdict.kernel) \(verdict.outcome.rawValue): \(verdict.reason)")
                )
            }
        }
        Console.line("OpenCL loader: \(listing.library.map(Console.oneLine) ?? "none")")
        listing.skipped.forEach { Console.line(Console.oneLine("passed over: \($0)")) }
    }

    private func rows(_ listing: DeviceListing, _ chosen: String) -> [Row] {
        // A group is chosen by its members.
        let chosen = chosen.split(separator: "+").map(String.init)
        let cache = KernelCache.standard
        return listing.candidates.map { candidate in
            let isChosen = chosen.contains(candidate.description.selector)
            let choice = common.device == "auto" ? listing.reason : "what --device names"
            return Row(
                description: candidate.description, family: candidate.family, isChosen: isChosen,
                reason: candidate.unsuitableReason ?? (isChosen ? "chosen: \(choice)" : "can be used"),
                limits: candidate.limits.map { ($0.name, JSON($0.value)) },
                verdicts: candidate.verdicts(in: cache))
        }
    }

    private func json(_ rows: [Row], _ listing: DeviceListing) -> JSON {
        .object([
            (
                "devices",
                .array(
                    rows.map { row in
                        .object([
                            ("selector", .string(row.description.selector)), ("name", .string(row.description.name)),
                            ("platform", .string(row.description.platform)),
                            ("kind", .string(row.description.kind.rawValue)), ("family", .optional(row.family)),
                            ("chosen", .bool(row.isChosen)), ("reason", .string(row.reason)),
                            ("limits", .object(row.limits.map { ($0.name, $0.json) })),
                            ("verdicts", json(row.verdicts)),
                        ])
                    })
            ), ("library", .optional(listing.library)),
        ])
    }

    /// For each kernel, how many of its programs passed, and why others did not.
    private func json(_ verdicts: [KernelVerdict]) -> JSON {
        .object(
            Set(verdicts.map(\.kernel)).sorted().map { kernel in
                let own = verdicts.filter { $0.kernel == kernel }
                return (
                    kernel,
                    .object([
                        ("passed", .int(own.filter(\.isTrusted).count)),
                        ("quarantined", .array(own.filter { !$0.isTrusted }.map { JSON($0) })),
                    ])
                )
            })
    }
}
