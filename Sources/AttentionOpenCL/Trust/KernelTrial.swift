import AttentionCore
import OpenCLRuntime

/// A kernel that no one has tried yet on a device, with what wants it.
public struct KernelTrial: Sendable {
    /// What wants the kernel: trials are made of it.
    public enum Use: Sendable {
        /// A call, for its types, dimensions and options.
        case attention(AttentionProblem)
        /// A step of a layer, whose kernel depends on little beside.
        case layer(LayerVariant)
    }

    /// A program, as the cache knows it.
    public struct Program: Codable, Hashable, Sendable {
        public let flags: String
        public let source: String
    }

    /// How a trial ended.
    public enum Outcome: Sendable {
        /// Results were right, with these programs.
        case passed([Program])
        case failed(String)
        case crashed(String)
        /// Nothing was tried, and why.
        case impossible(String)
    }

    public let use: Use
    /// Names the kernel and what else its programs depend on.
    public let policy: PlanPolicy
    public let device: DeviceDescription
    public let driver: String
    /// Where programs are kept; `nil` if they are not.
    public let cacheFolder: String?
    /// A backend on the same device that plans without any trial.
    public let backend: OpenCLBackend
    /// To be called before a trial in this process, which may not survive it.
    public let willRunHere: @Sendable () -> Void
}

/// Tries kernels before their first use. See ``OpenCLCandidate/makeBackend(examiner:)``.
public protocol KernelExaminer: Sendable {
    func examine(_ trial: KernelTrial) -> KernelTrial.Outcome
}

extension OpenCLBackend {
    /// The same device, where every kernel is trusted and steps of layers have this one.
    public func trying(_ variant: LayerVariant) -> OpenCLBackend { withoutGate(LayerPrograms(only: variant.kernel)) }

    /// The programs that were made for plans and steps of this backend.
    public var builtPrograms: [KernelTrial.Program] {
        programs.keys.map { KernelTrial.Program(flags: $0.flags, source: $0.source) }
    }
}
