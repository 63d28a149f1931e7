import AttentionOpenCL
import Dispatch
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A child process for one trial.
struct SelfTestChild {
    let program: String
    let timeLimit: Duration

    /// - Returns: How the trial ended, or `nil` if nothing was tried: `program` is no helper, or does not find the device.
    func run(_ request: SelfTestRequest) -> KernelTrial.Outcome? {
        guard let text = try? JSONEncoder().encode(request) else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        var environment = ProcessInfo.processInfo.environment
        environment[SelfTestRequest.variable] = String(decoding: text, as: UTF8.self)
        // A crash is expected here as anywhere else, and is told by its signal.
        environment["SWIFT_BACKTRACE"] = "enable=no"
        process.environment = environment
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        guard (try? process.run()) != nil else { return nil }
        let seconds = Double(timeLimit.components.seconds) + Double(timeLimit.components.attoseconds) * 1e-18
        if ended.wait(timeout: .now() + seconds) == .timedOut {
            kill(process.processIdentifier, SIGKILL)
            ended.wait()
            return .crashed("no answer within \(timeLimit)")
        }
        guard process.terminationReason == .exit else {
            return .crashed("its process was ended by signal \(process.terminationStatus)")
        }
        guard process.terminationStatus == 0 else {
            return .crashed("its process ended with status \(process.terminationStatus)")
        }
        return Self.outcome(output.fileHandleForReading.availableData)
    }

    private static func outcome(_ data: Data) -> KernelTrial.Outcome? {
        guard let answer = try? JSONDecoder().decode(SelfTestRequest.Answer.self, from: data), answer.version == 1
        else {
            return nil
        }
        if let programs = answer.passed { return .passed(programs) }
        return answer.failed.map { .failed($0) }
    }
}
