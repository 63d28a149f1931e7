/// What keeps a job from being done.
public enum WorkerError: Error, Equatable, CustomStringConvertible {
    /// The calling thread's own scratch memory of so many bytes could not be had; nothing was run.
    case noMemory(bytes: Int)
    /// The process forked within the job, and the caller found itself in the child, where the threads that held the rest of its
    /// items do not exist: an unknown part of them was not run.
    case forked

    public var description: String {
        switch self {
        case .noMemory(let bytes): "no memory for \(bytes) bytes of scratch"
        case .forked: "the process forked within the job: the threads that ran the rest of it do not exist in the child"
        }
    }
}
