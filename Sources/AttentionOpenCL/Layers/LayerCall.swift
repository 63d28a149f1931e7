import AttentionCore
import OpenCLRuntime

/// One step on the device: its operands as buffers, its launch, and what it writes back.
struct LayerCall {
    let commands: Commands
    private let operands: OperandBuffers

    init(_ backend: OpenCLBackend, _ commands: Commands) {
        self.commands = commands
        operands = OperandBuffers(backend: backend, commands: commands)
    }

    /// The buffer of an operand that may be absent. `offset`, its place in the storage, becomes that in the buffer.
    func input(_ tensor: Tensor?, _ offset: inout Int64) throws(OpenCLError) -> Buffer? {
        guard let tensor else { return nil }
        let (buffer, shift) = try operands.input(tensor)
        offset -= Int64(shift)
        return buffer
    }

    /// As ``input(_:_:)``, for what is written. Ask for the inputs first.
    func output(_ tensor: Tensor?, _ offset: inout Int64) throws(OpenCLError) -> Buffer? {
        guard let tensor else { return nil }
        let (buffer, shift) = try operands.output(tensor)
        offset -= Int64(shift)
        return buffer
    }

    /// Numbers for the kernel to look up; never without bytes.
    func numbers(_ list: [Int32]) throws(OpenCLError) -> Buffer? { try operands.constants(list.isEmpty ? [0] : list) }

    func run(
        _ launch: consuming Launch, groups: Int, _ second: Int = 1, of items: Int
    ) throws(OpenCLError) {
        try commands.run(launch, global: WorkSize(groups * items, second), local: WorkSize(items))
    }

    func finish() throws(OpenCLError) { try operands.finish() }
}

extension OpenCLBackend {
    /// Runs `body` with the call of one step, which it need not end.
    func withLayerCall(
        _ control: RunControl, _ body: (LayerCall) throws(OpenCLError) -> Void
    ) throws(AttentionError) {
        try withCommands(isProfiled: control.isProfiled) { (commands) throws(AttentionError) in
            try asAttentionError(device.name) { () throws(OpenCLError) in
                let call = LayerCall(self, commands)
                try body(call)
                try call.finish()
            }
        }
    }
}
