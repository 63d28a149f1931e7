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

    /// By the one that was asked for first.
    private let known = Guarded<[LayerKernel: Found]>([:])

    /// The first of `kernels` whose compiler leaves work-groups of the size that it needs.
    func first(of kernels: [LayerKernel], _ backend: OpenCLBackend) throws(AttentionError) -> Found {
        guard let wanted = kernels.first else {
            throw .unsupported(
                device: backend.device.name,
                reason: "no tiles for work-groups of \(backend.profile.largestGroup) and"
                    + " \(backend.profile.localMemoryBytes) bytes of local memory")
        }
        if let found = known.withLock({ $0[wanted] }) { return found }
        for kernel in kernels {
            let (program, _) = try backend.program(.layer(kernel))
            guard try fits(kernel, program, backend) else { continue }
            let found = Found(kernel: kernel, program: ProgramKernel(program, kernel.name))
            known.withLock { $0[wanted] = found }
            return found
        }
        throw .unsupported(
            device: backend.device.name,
            reason: "\(wanted.name): its compiler leaves no work-group that is large enough")
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
