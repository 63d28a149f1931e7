import AttentionCore
import KernelCalls
import OpenCLRuntime

/// What every call needs around its kernels: its buffers, the past and the new keys put together, and its results brought back.
struct CallRun {
    let backend: OpenCLBackend
    let commands: Commands
    let problem: AttentionProblem
    let buffers: CallBuffers
    let blockTable: BlockTable?
    /// The problem as kernels read it, with the views of the buffers filled in.
    let arguments: KernelProblem
    private let operands: OperandBuffers

    init(
        _ backend: OpenCLBackend, _ problem: AttentionProblem, _ inputs: AttentionInputs,
        _ outputs: AttentionOutputs, _ commands: Commands
    ) throws(OpenCLError) {
        self.backend = backend
        self.commands = commands
        self.problem = problem
        blockTable = inputs.blockTable
        operands = OperandBuffers(backend: backend, commands: commands)
        var arguments = KernelProblem(problem)
        buffers = try CallBuffers(problem, inputs, outputs, operands, &arguments)
        self.arguments = arguments
    }

    /// A small array for kernels to read, or `nil` for an empty one.
    func constants<Element: BitwiseCopyable>(_ values: [Element]) throws(OpenCLError) -> Buffer? {
        try operands.constants(values)
    }

    /// Launches what makes the present keys and values.
    func concatenate(_ programs: (key: Program, value: Program)?) throws(OpenCLError) {
        let shape = problem.shape
        guard let programs, shape.keyLength > 0, shape.batch > 0, shape.keyValueHeads > 0 else { return }
        let programAndColumns = [(programs.key, shape.headDimension), (programs.value, shape.valueDimension)]
        for (part, (program, columns)) in zip(buffers.concatenations, programAndColumns) {
            let launch = try program.launch("concatenate")
                .buffer(part.past).buffer(part.fresh).buffer(part.present)
                .bytes(of: part.pastView).bytes(of: part.freshView).bytes(of: part.presentView)
                .int32(Int32(problem.pastLength)).int32(Int32(columns))
            try run(launch, global: WorkSize(shape.keyLength, shape.keyValueHeads, shape.batch), local: nil)
        }
    }

    func run(_ launch: consuming Launch, global: WorkSize, local: WorkSize?) throws(OpenCLError) {
        try commands.run(launch, global: global, local: local)
    }

    /// Waits for all launches so far, and hears how they ended.
    func wait() throws(OpenCLError) { try commands.wait() }

    /// Brings what was written to where the caller has it. Call it once, after the last launch.
    func finish() throws(OpenCLError) { try operands.finish() }
}
