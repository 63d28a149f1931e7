import Locking

/// The idle kernels of one name: each launch takes one for itself, because setting arguments is the one thing in OpenCL that is not
/// thread-safe.
///
/// Unchecked: the list has its lock, and a kernel in it belongs to nobody.
final class KernelEntry: @unchecked Sendable {
    let name: String
    private let idle = Guarded<[KernelState]>([])

    init(name: String) { self.name = name }

    func launch(_ program: Program) throws(OpenCLError) -> Launch { Launch(try borrow(program), lender: self) }

    func borrow(_ program: Program) throws(OpenCLError) -> KernelState {
        if let state = idle.withLock({ $0.popLast() }) { return state }
        return try KernelState(name: name, program: program)
    }

    func giveBack(_ state: KernelState) { idle.withLock { $0.append(state) } }
}

/// A program's kernel by name, found once and launched many times.
public struct ProgramKernel: Sendable {
    public let program: Program
    private let entry: KernelEntry

    public init(_ program: Program, _ name: String) {
        self.program = program
        entry = program.entry(name)
    }

    /// As ``Program/launch(_:)``, without looking the name up.
    public func launch() throws(OpenCLError) -> Launch { try entry.launch(program) }
}
