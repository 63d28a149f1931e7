import Attention
import TensorFiles
import Transformers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How the program ends, as sysexits.h numbers it.
enum ExitStatus: Int32 {
    case done = 0
    /// A case, a gate or a measurement failed.
    case checkFailed = 1
    case usage = 64
    /// A bad input file, or shapes that do not fit.
    case badInput = 65
    /// The device or kernel asked for is not there.
    case unavailable = 69
    /// Our own bug.
    case bug = 70

    func end() -> Never { exit(rawValue) }

    /// Says what failed, if something did, and ends the process without calling what libraries left to be called at the end.
    static func endAtOnce(_ failure: CommandFailure?) -> Never {
        if let failure { Console.note(failure.line) }
        _exit((failure?.status ?? .done).rawValue)
    }
}

/// An error that ends a command: its exit status, and one line that names what is wrong.
struct CommandFailure: Error {
    let status: ExitStatus
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// A check has failed and was reported already.
    static let checkFailed = CommandFailure(.checkFailed, "")

    /// Says so in one line on standard error, and ends the process.
    func end() -> Never {
        if !message.isEmpty { Console.note(line) }
        status.end()
    }

    /// What it says on standard error.
    var line: String { "error: " + message }

    /// What `error` means for the one who called. `file` is the file at work, if one was.
    init(_ error: any Error, file: String? = nil) {
        let place = file.map { "\($0): " } ?? ""
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as TensorFileError: self.init(.badInput, error.description)
        case let error as CheckpointError: self.init(.badInput, error.description)
        case AttentionError.invalid(let operand):
            let name = CaseFile.name(ofOperand: operand.operand)
            self.init(.badInput, "\(place)\(name): expected \(operand.expected), found \(operand.found)")
        case AttentionError.outOfMemory(let bytes, let device):
            self.init(.badInput, "\(place)expected shapes that fit in memory, found \(device) without \(bytes) bytes")
        case let error as AttentionError:
            switch error {
            case .unsupported, .noDevice, .deviceFailed: self.init(.unavailable, place + error.description)
            default: self.init(.bug, place + error.description)
            }
        default: self.init(.bug, place + "\(error)")
        }
    }
}
