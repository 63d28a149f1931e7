/// Who computes which part of a call, with everything planned.
struct Division: Sendable {
    struct Share: Sendable {
        /// The place of the device in its group.
        let device: Int
        let part: ProblemPart
        let plan: any BackendPlan
    }

    let axis: CutAxis?
    let shares: [Share]
    let explanation: PlanExplanation

    /// Keys and values have to come out of their blocks first.
    var isByKeys: Bool { axis == .keys }

    init(
        _ found: ShareDivider.Shares, _ plans: [any BackendPlan], _ members: [SharingMember],
        _ shape: AttentionShape, excluded: [String]
    ) {
        axis = found.axis
        shares = zip(found.parts, plans).map { Share(device: $0.device, part: $0.part, plan: $1) }
        var choices: [String] = []
        if let axis = found.axis {
            choices.append("divided by \(axis) among \(found.parts.count) devices: \(found.reason)")
        } else {
            choices.append("not divided: \(found.reason)")
        }
        for (share, plan) in zip(found.parts, plans) {
            let name = members[share.device].name
            let percent = Int((share.fraction * 100).rounded())
            choices.append("\(name): \(Self.text(share.part, found.axis)), \(percent) % of the work")
            choices += plan.explanation.choices.map { "\(name): \($0)" }
        }
        if found.axis == .keys { choices.append("parts of the keys are joined by their logSumExp, on the host") }
        func told(_ lines: KeyPath<PlanExplanation, [String]>) -> [String] {
            zip(found.parts, plans).flatMap { share, plan in
                plan.explanation[keyPath: lines].map { "\(members[share.device].name): \($0)" }
            }
        }
        explanation = PlanExplanation(
            kernel: Self.kernels(plans.map(\.explanation.kernel)), choices: choices,
            refusals: excluded + found.refusals + told(\.refusals), warnings: told(\.warnings),
            scratchBytes: plans.reduce(0) { $0 + $1.explanation.scratchBytes })
    }

    /// Each kernel once, in the order of the devices.
    static func kernels(_ names: [String]) -> String {
        var different: [String] = []
        for name in names where !different.contains(name) { different.append(name) }
        return different.joined(separator: " + ")
    }

    private static func text(_ part: ProblemPart, _ axis: CutAxis?) -> String {
        switch axis {
        case .heads: "key heads \(part.keyValueHeads)"
        case .batch: "batch entries \(part.batch)"
        case .rows: "queries \(part.rows)"
        case .keys: "keys \(part.keys)"
        case nil: "everything"
        }
    }
}
