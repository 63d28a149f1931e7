import Synchronization

/// Lets a running call be told to stop, and says what to measure.
///
/// A backend looks at it between launches: a kernel that has begun is not interrupted.
public final class RunControl: Sendable {
    private let stopped = Atomic<Bool>(false)
    private let parent: RunControl?
    /// Measure the time on the device.
    public let isProfiled: Bool

    /// A control of its own.
    ///
    /// - Parameter isProfiled: Whether to measure the time on the device.
    public init(isProfiled: Bool = false) {
        self.isProfiled = isProfiled
        parent = nil
    }

    /// A control for a part of what `parent` controls: cancelled with it, or alone.
    ///
    /// - Parameter parent: The control of the whole, which also says what to measure.
    public init(following parent: RunControl) {
        isProfiled = parent.isProfiled
        self.parent = parent
    }

    public func cancel() { stopped.store(true, ordering: .relaxed) }

    /// - Throws: ``AttentionError/cancelled`` once ``cancel()`` was called, here or on the control that this one follows.
    public func check() throws(AttentionError) {
        if stopped.load(ordering: .relaxed) { throw .cancelled }
        try parent?.check()
    }
}
