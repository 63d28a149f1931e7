import AttentionCore
import AttentionOpenCL
import Foundation

/// What a child process is asked to try.
struct SelfTestRequest: Codable, Sendable {
    /// Holds the request, in JSON, in the child's environment.
    static let variable = "ATTEND_SELF_TEST_REQUEST"

    /// How to find the device, and how to know that it is the same.
    let selector: String
    let device: String
    let platform: String
    let driver: String
    let cacheFolder: String
    let kernel: String
    let family: String?
    let tiles: [String: Int]
    let precision: Precision
    let cases: SelfTestCases

    /// What it says on its standard output.
    struct Answer: Codable, Sendable {
        /// Tells a helper from another program that ends well.
        var version = 1
        var passed: [KernelTrial.Program]?
        var failed: String?
        var impossible: String?
    }

    init(_ trial: KernelTrial, _ cases: SelfTestCases) {
        (selector, device, platform) = (trial.device.selector, trial.device.name, trial.device.platform)
        driver = trial.driver
        cacheFolder = trial.cacheFolder ?? ""
        (kernel, family, tiles) = (trial.policy.kernel ?? "", trial.policy.family, trial.policy.tiles)
        precision = trial.policy.precision
        self.cases = cases
    }

    /// In the child: does what the request says.
    static func answer(_ text: String) -> Data {
        var answer = Answer()
        if let request = try? JSONDecoder().decode(SelfTestRequest.self, from: Data(text.utf8)) {
            switch request.run() {
            case .passed(let programs): answer.passed = programs
            case .failed(let reason), .crashed(let reason): answer.failed = reason
            case .impossible(let reason): answer.impossible = reason
            }
        } else {
            answer.impossible = "another version asks"
        }
        return (try? JSONEncoder().encode(answer)) ?? Data()
    }

    private func run() -> KernelTrial.Outcome {
        SelfTest.mode = .off
        setenv("ATTEND_CACHE_DIR", cacheFolder, 1)
        let backend: OpenCLBackend
        do {
            var selection = DeviceSelection(OpenCLSource())
            guard let found = try selection.open(DevicePreference(selector)).backend as? OpenCLBackend else {
                return .impossible("'\(selector)' is no OpenCL device here")
            }
            backend = found
        } catch {
            return .impossible(error.reason)
        }
        let driver = backend.context.device.info.driverVersion
        guard (backend.device.name, backend.device.platform, driver) == (device, platform, self.driver) else {
            return .impossible("'\(selector)' is another device here: \(backend.device.name)")
        }
        let policy = PlanPolicy(
            kernel: kernel, family: family, tiles: tiles, usesTuning: false, precision: precision)
        return SelfTestExaminer.run(cases, on: backend, policy)
    }
}
