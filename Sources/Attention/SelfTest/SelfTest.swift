import AttentionCore
import AttentionOpenCL
import Foundation
import Locking

/// Kernels are tried before their first use on a device: once for each driver, processor and text.
///
/// A trial runs two small calls of the kind at hand, with mask, window, slopes, sinks and sizes that fit no tile, and holds them to the
/// reference. Its verdict is kept beside the compiled programs. A kernel that is wrong, or whose compiler crashes or does not end, is
/// quarantined: plans say so and take the next kernel. Kernels of layers are tried the same way, by two to four small steps; where
/// one is quarantined the next size of work-group takes over, then the next family, then the devices that a fallback allows.
///
/// Trials run in a child process, so that a crash takes nobody along: in the program `attend` beside the running one, in what
/// `ATTEND_HELPER` names, or in the running program itself if it calls ``runAsHelperIfAsked()``. Without any of these, or where
/// compiled programs are not kept, they run in this process; a process that ends during one leaves a mark, and two such marks
/// quarantine the kernel.
///
/// Cost: nothing once a verdict is there; before, 50 to 500 ms beside the build for the first kernel, and less for those that follow
/// within seconds, as they have the same child.
public enum SelfTest {
    public enum Mode: Hashable, Sendable {
        /// In a child process where there is a helper.
        case automatic
        /// In this process.
        case inProcess
        /// Every kernel is trusted: for tests and timing of the kernels themselves.
        case off
    }

    /// `off`, or `in-process`.
    public static let variable = "ATTEND_SELF_TEST"
    /// The path of a program that calls ``runAsHelperIfAsked()``.
    public static let helperVariable = "ATTEND_HELPER"

    private static let state = Guarded(State())

    private struct State {
        var mode: Mode
        var timeLimit = Duration.seconds(120)
        var isHelper = false

        init() {
            switch ProcessInfo.processInfo.environment[SelfTest.variable] {
            case "off": mode = .off
            case "in-process": mode = .inProcess
            default: mode = .automatic
            }
        }
    }

    /// For devices that are opened from now on.
    public static var mode: Mode {
        get { state.withLock { $0.mode } }
        set { state.withLock { $0.mode = newValue } }
    }

    /// What a child process may take. One that takes longer is ended, and its kernel quarantined.
    public static var timeLimit: Duration {
        get { state.withLock { $0.timeLimit } }
        set { state.withLock { $0.timeLimit = newValue } }
    }

    /// Lets this program be its own helper. To be called first in `main`: a child process that was started for a trial does it here
    /// and does not return.
    ///
    /// ```swift
    /// SelfTest.runAsHelperIfAsked()
    /// ```
    public static func runAsHelperIfAsked() {
        if let text = ProcessInfo.processInfo.environment[SelfTestRequest.variable] {
            // Nothing else that the program may do is wanted, not even what it does at its end.
            SelfTestServer.serve(text)
            _exit(0)
        }
        state.withLock { $0.isHelper = true }
    }

    /// The examiner of devices that are opened now; `nil` if all kernels are trusted.
    static var examiner: (any KernelExaminer)? {
        switch mode {
        case .off: nil
        case .inProcess: SelfTestExaminer(helper: nil, timeLimit: timeLimit)
        case .automatic: SelfTestExaminer(helper: helper, timeLimit: timeLimit)
        }
    }

    private static var helper: String? {
        let named = ProcessInfo.processInfo.environment[helperVariable] ?? ""
        if !named.isEmpty { return named }
        guard let running = Bundle.main.executablePath else { return nil }
        if state.withLock({ $0.isHelper }) { return running }
        let neighbour = URL(fileURLWithPath: running).deletingLastPathComponent().appendingPathComponent("attend").path
        return FileManager.default.isExecutableFile(atPath: neighbour) ? neighbour : nil
    }
}
