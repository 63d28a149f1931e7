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

/// A child process that tries kernels: the first that its environment names, then what it is sent, until nobody asks for a while.
///
/// Starting one and loading a driver takes longer than most trials.
final class SelfTestChild {
    /// What came of a request.
    enum Reply {
        case outcome(KernelTrial.Outcome)
        /// It gave no answer within the limit, and was ended.
        case late
        /// It ended, and how; `nil` if it ended well, with nothing to say.
        case gone(String?)
    }

    private let process = Process()
    private let ended = DispatchSemaphore(value: 0)
    /// Our end of the child's standard input, and of its output.
    private let requests: Int32
    private let answers = Pipe()

    /// Starts `program` with its first request; `nil` if it cannot be started.
    init?(_ program: String, first text: String) {
        guard let (own, other) = Self.sockets() else { return nil }
        requests = own
        process.executableURL = URL(fileURLWithPath: program)
        var environment = ProcessInfo.processInfo.environment
        environment[SelfTestRequest.variable] = text
        // A crash is expected here as anywhere else, and is told by its signal.
        environment["SWIFT_BACKTRACE"] = "enable=no"
        process.environment = environment
        process.standardInput = FileHandle(fileDescriptor: other, closeOnDealloc: true)
        process.standardOutput = answers
        process.standardError = FileHandle.nullDevice
        process.terminationHandler = { [ended] _ in ended.signal() }
        guard (try? process.run()) != nil else { return nil }
    }

    /// The child reads the end of its input, and ends.
    deinit { close(requests) }

    /// Sends a further request. False if it has ended.
    func send(_ text: String) -> Bool {
        let line = Array((text + "\n").utf8)
        var sent = 0
        while sent < line.count {
            let count = line[sent...].withUnsafeBytes { Self.send(requests, $0) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Waits for the answer to the last request.
    func reply(within limit: Duration) -> Reply {
        let deadline = ContinuousClock.now + limit
        let source = answers.fileHandleForReading.fileDescriptor
        var line: [UInt8] = []
        while line.last != UInt8(ascii: "\n") {
            let left = deadline - .now
            guard left > .zero else { return late() }
            switch SelfTestPipe.read(source, within: left) {
            case .bytes(let bytes): line += bytes
            case .late: continue
            case .end:
                // Some drivers take a while to end.
                if ended.wait(timeout: .now() + max(left / .seconds(1), 0)) == .timedOut { return late() }
                ended.signal()
                guard process.terminationReason == .exit else {
                    return .gone("its process was ended by signal \(process.terminationStatus)")
                }
                guard process.terminationStatus == 0 else {
                    return .gone("its process ended with status \(process.terminationStatus)")
                }
                return Self.outcome(line).map { .outcome($0) } ?? .gone(nil)
            }
        }
        return Self.outcome(line).map { .outcome($0) } ?? .gone(nil)
    }

    private func late() -> Reply {
        kill(process.processIdentifier, SIGKILL)
        ended.wait()
        ended.signal()
        return .late
    }

    private static func outcome(_ line: [UInt8]) -> KernelTrial.Outcome? {
        guard let answer = try? JSONDecoder().decode(SelfTestRequest.Answer.self, from: Data(line)), answer.version == 1
        else {
            return nil
        }
        if let programs = answer.passed { return .passed(programs) }
        return answer.failed.map { .failed($0) }
    }

    /// Two ends that are joined; ours is not handed on to other programs that this one starts.
    private static func sockets() -> (own: Int32, other: Int32)? {
        var ends: [Int32] = [-1, -1]
        #if canImport(Glibc)
            let kind = Int32(SOCK_STREAM.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        #if canImport(Darwin)
            var one: Int32 = 1
            setsockopt(ends[0], SOL_SOCKET, SO_NOSIGPIPE, &one, socklen_t(MemoryLayout<Int32>.size))
        #endif
        return (ends[0], ends[1])
    }

    /// A child that is gone is an error here, not a signal.
    private static func send(_ socket: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
            Darwin.send(socket, bytes.baseAddress, bytes.count, 0)
        #elseif canImport(Musl)
            Musl.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #else
            Glibc.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #endif
    }
}
