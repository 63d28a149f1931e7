/// Keeps the worst element of one gate.
struct GateMeter {
    let tensor: String
    let gate: String
    private let shape: [Int]
    private(set) var ratio = 0.0
    private var worst: (index: Int, found: Double, expected: Double)?

    init(_ tensor: String, _ gate: String, shape: [Int]) {
        self.tensor = tensor
        self.gate = gate
        self.shape = shape
    }

    /// Notes one element by its row-major index.
    mutating func note(_ ratio: Double, _ index: Int, found: Double, expected: Double) {
        guard ratio > self.ratio || worst == nil else { return }
        self.ratio = ratio
        worst = (index, found, expected)
    }

    /// Notes an element whose error, less what rounding explains, is held to an allowance; 0/0 is 0.
    mutating func note(
        error: Double, rounding: Double, allowed: Double, _ index: Int, found: Double, expected: Double
    ) {
        let excess = error - rounding
        note(
            excess <= 0 ? 0 : allowed > 0 ? excess / allowed : .infinity, index, found: found, expected: expected)
    }

    /// `nil` if no element was noted.
    var finding: Finding? {
        worst.map {
            Finding(
                tensor: tensor, gate: gate, ratio: ratio,
                detail: "\(place($0.index)) is \($0.found), expected \($0.expected)")
        }
    }

    private func place(_ index: Int) -> String {
        var rest = index
        var place: [Int] = []
        for size in shape.reversed() {
            place.insert(rest % max(size, 1), at: 0)
            rest /= max(size, 1)
        }
        return "\(place)"
    }
}
