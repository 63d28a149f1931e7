import AttentionCore
import Locking
import OpenCLRuntime

/// A sequence of calls that a thread is making on one device.
final class OpenSequence {
    /// Whose queues it uses: the device's.
    private let queues: QueuePool
    private let commands: Commands
    /// One on another device, around this one.
    private let outer: OpenSequence?

    private static let ofThread = ThreadValue<OpenSequence>()

    private init(_ queues: QueuePool, _ commands: Commands) {
        self.queues = queues
        self.commands = commands
        outer = Self.ofThread.current
    }

    /// The commands of the sequence that the calling thread is making with `queues`.
    static func commands(_ queues: QueuePool) -> Commands? {
        var sequence = ofThread.current
        while let open = sequence {
            if open.queues === queues { return open.commands }
            sequence = open.outer
        }
        return nil
    }

    /// Runs `body` with `commands` as the calling thread's.
    static func run<Result>(
        _ queues: QueuePool, _ commands: Commands, _ body: () throws(AttentionError) -> Result
    ) throws(AttentionError) -> Result {
        try ofThread.with(OpenSequence(queues, commands), body)
    }
}

extension OpenCLBackend {
    /// Calls that the calling thread makes in `body` are enqueued one after another; the wait comes at the end, or when the host
    /// reads or writes memory that they use.
    public func sequence<Result>(
        _ body: () throws(AttentionError) -> Result
    ) throws(AttentionError) -> Result {
        if OpenSequence.commands(queues) != nil { return try body() }
        try checkProcess()
        let queue = try asAttentionError(device.name) { () throws(OpenCLError) in try queues.take() }
        let commands = Commands(queue: queue, pool: scratch, isSequence: true)
        let result: Result
        do throws(AttentionError) { result = try OpenSequence.run(queues, commands, body) } catch {
            commands.abandon()
            throw error
        }
        try asAttentionError(device.name) { () throws(OpenCLError) in try commands.endSequence() }
        queues.giveBack(queue)
        return result
    }
}
