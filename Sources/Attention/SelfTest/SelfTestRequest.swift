import AttentionCore
import AttentionOpenCL

/// What a kernel is tried with.
enum SelfTestWork: Codable, Sendable {
    /// Calls of attention.
    case calls(SelfTestCases)
    /// Steps of layers.
    case steps(LayerVariant)

    init(_ use: KernelTrial.Use) {
        switch use {
        case .attention(let problem): self = .calls(SelfTestCases(problem))
        case .layer(let variant): self = .steps(variant)
        }
    }
}

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
    let work: SelfTestWork

    /// What it says on its standard output.
    struct Answer: Codable, Sendable {
        /// Tells a helper from another program that ends well.
        var version = 1
        var passed: [KernelTrial.Program]?
        var failed: String?
        var impossible: String?
    }

    init(_ trial: KernelTrial) {
        (selector, device, platform) = (trial.device.selector, trial.device.name, trial.device.platform)
        driver = trial.driver
        cacheFolder = trial.cacheFolder ?? ""
        (kernel, family, tiles) = (trial.policy.kernel ?? "", trial.policy.family, trial.policy.tiles)
        precision = trial.policy.precision
        work = SelfTestWork(trial.use)
    }
}
