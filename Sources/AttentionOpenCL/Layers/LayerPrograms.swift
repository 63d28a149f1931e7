import AttentionCore
import Locking
import OpenCLRuntime

/// The kernels of layers that were asked for, by what they are compiled with: a step finds its own without a word of text.
final class LayerPrograms: Sendable {
    /// A kernel that this device runs, with the program.
    struct Found: Sendable {
        let kernel: LayerKernel
        let program: ProgramKernel
    }

    /// Takes the place of whatever is asked for: the kernel that is under test.
    let only: LayerKernel?
    /// By the one that was asked for first; what was refused will be refused again.
    private let known = Guarded<[LayerKernel: Result<Found, AttentionError>]>([:])

    init(only: LayerKernel? = nil) { self.only = only }

    /// The first of `kernels` that has passed its self-test, and whose compiler leaves work-groups of the size that it needs.
    ///
    /// - Throws: `unsupported` with the reasons if there is none.
    func first(of kernels: [LayerKernel], _ backend: OpenCLBackend) throws(AttentionError) -> Found {
        guard let wanted = only ?? kernels.first else {
            throw .unsupported(
                device: backend.device.name,
                reason: "no tiles for work-groups of \(backend.profile.largestGroup) and"
                    + " \(backend.profile.localMemoryBytes) bytes of local memory")
        }
        if let answer = known.withLock({ $0[wanted] }) { return try answer.get() }
        var reasons: [String] = []
        for kernel in only.map({ [$0] }) ?? kernels {
            do throws(AttentionError) {
                let found = try found(kernel, backend)
                known.withLock { $0[wanted] = .success(found) }
                return found
            } catch {
                guard case .unsupported(_, let reason) = error else { throw error }
                reasons.append(reason)
            }
        }
        let refusal = AttentionError.unsupported(device: backend.device.name, reason: reasons.joined(separator: "; "))
        known.withLock { $0[wanted] = .failure(refusal) }
        throw refusal
    }

    private func found(_ kernel: LayerKernel, _ backend: OpenCLBackend) throws(AttentionError) -> Found {
        try backend.admit(.layer(kernel), for: .layer(LayerVariant(kernel)), PlanPolicy(kernel: kernel.name))
        let (program, _) = try backend.program(.layer(kernel))
        guard try fits(kernel, program, backend) else {
            throw .unsupported(
                device: backend.device.name,
                reason: "\(kernel.name): its compiler leaves no work-group of \(kernel.group)")
        }
        return Found(kernel: kernel, program: ProgramKernel(program, kernel.name))
    }

    private func fits(
        _ kernel: LayerKernel, _ program: Program, _ backend: OpenCLBackend
    ) throws(AttentionError) -> Bool {
        guard kernel.group > 1 else { return true }
        let made = try asAttentionError(backend.device.name) { () throws(OpenCLError) in try program.kernel(kernel.name)
        }
        return made.maxWorkGroupSize >= kernel.group && made.localMemoryBytes <= backend.profile.localMemoryBytes
    }
}
