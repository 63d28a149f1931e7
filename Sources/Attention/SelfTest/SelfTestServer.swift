import AttentionCore
import AttentionOpenCL
import Foundation

/// The child's side: opens a device once, and tries one kernel after another on it.
struct SelfTestServer {
    /// How long it waits for a further request.
    private static let patience = Duration.seconds(5)

    private struct Place: Hashable {
        let selector: String
        let cacheFolder: String
    }

    private var opened: (place: Place, backend: OpenCLBackend)?

    /// Answers `first`, then what comes on the standard input, a line each.
    static func serve(_ first: String) {
        var server = SelfTestServer()
        var next: String? = first
        var read: [UInt8] = []
        while let text = next {
            let answer = server.answer(text)
            guard let data = try? JSONEncoder().encode(answer) else { return }
            FileHandle.standardOutput.write(data + [UInt8(ascii: "\n")])
            // Who cannot do one will not do another.
            next = answer.impossible == nil ? line(&read) : nil
        }
    }

    private mutating func answer(_ text: String) -> SelfTestRequest.Answer {
        var answer = SelfTestRequest.Answer()
        guard let request = try? JSONDecoder().decode(SelfTestRequest.self, from: Data(text.utf8)) else {
            answer.impossible = "another version asks"
            return answer
        }
        switch run(request) {
        case .passed(let programs): answer.passed = programs
        case .failed(let reason), .crashed(let reason): answer.failed = reason
        case .impossible(let reason): answer.impossible = reason
        }
        return answer
    }

    private mutating func run(_ request: SelfTestRequest) -> KernelTrial.Outcome {
        let place = Place(selector: request.selector, cacheFolder: request.cacheFolder)
        if opened?.place != place {
            SelfTest.mode = .off
            setenv("ATTEND_CACHE_DIR", request.cacheFolder, 1)
            do {
                var selection = DeviceSelection(OpenCLSource())
                let found = try selection.open(DevicePreference(request.selector)).backend
                guard let backend = found as? OpenCLBackend else {
                    return .impossible("'\(request.selector)' is no OpenCL device here")
                }
                opened = (place, backend)
            } catch {
                return .impossible(error.reason)
            }
        }
        guard let backend = opened?.backend else { return .impossible("'\(request.selector)' is not there") }
        let driver = backend.context.device.info.driverVersion
        guard
            (backend.device.name, backend.device.platform, driver) == (request.device, request.platform, request.driver)
        else {
            return .impossible("'\(request.selector)' is another device here: \(backend.device.name)")
        }
        let policy = PlanPolicy(
            kernel: request.kernel, family: request.family, tiles: request.tiles, usesTuning: false,
            precision: request.precision)
        // Its own programs each time: those of a kernel that failed are no part of the next answer.
        return SelfTestExaminer.run(request.work, on: backend.withoutGate(), policy)
    }

    /// The next line of the standard input; `nil` at its end, or if none comes.
    private static func line(_ read: inout [UInt8]) -> String? {
        while true {
            if let end = read.firstIndex(of: UInt8(ascii: "\n")) {
                let text = String(decoding: read[..<end], as: UTF8.self)
                read.removeSubrange(...end)
                return text
            }
            guard case .bytes(let bytes) = SelfTestPipe.read(0, within: patience) else { return nil }
            read += bytes
        }
    }
}
