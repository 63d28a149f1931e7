/// One line on standard error that is written over as work goes on: only on a terminal, only after the first second.
final class Progress {
    private let start = ContinuousClock.now
    private var isShown = false
    private let isAllowed: Bool

    init() { isAllowed = Console.hasTerminal }

    /// Says where the work is.
    func update(_ text: @autoclosure () -> String) {
        guard isAllowed, ContinuousClock.now - start > .seconds(1) else { return }
        isShown = true
        Console.raw("\r\u{1B}[K" + Console.oneLine(text()))
    }

    /// Takes the line away.
    func clear() {
        if isShown { Console.raw("\r\u{1B}[K") }
        isShown = false
    }
}

/// How far work has come, as a bar.
enum ProgressBar {
    private static let width = 24

    /// `[######          ] 12 of 48`.
    static func text(_ done: Int, of total: Int) -> String {
        let filled = total > 0 ? min(width, done * width / total) : width
        return "[" + String(repeating: "#", count: filled) + String(repeating: " ", count: width - filled)
            + "] \(done) of \(total)"
    }
}
