import Synchronization

/// A value of which each process has its own: a child that was forked begins with a new one, as locks in the parent's may be held by
/// threads that the child does not have.
///
/// ```swift
/// private let state = PerProcess { Guarded(State()) }
/// state.value.withLock { … }
/// ```
/// Cost of an access: two loads.
public final class PerProcess<Value: Sendable>: Sendable {
    /// A value with the process that it was made in.
    private final class Made: Sendable {
        let mark = ForkMark()
        let value: Value

        init(_ value: Value) { self.value = value }
    }

    private let first: Made
    /// What a child has made: a retained reference, or 0. What its own parent had made there is never released.
    private let later = Atomic<UInt>(0)
    private let make: @Sendable () -> Value

    public init(_ make: @escaping @Sendable () -> Value) {
        first = Made(make())
        self.make = make
    }

    deinit { Self.made(later.load(ordering: .acquiring))?.release() }

    public var value: Value { first.mark.isChild ? inChild : first.value }

    private var inChild: Value {
        let known = later.load(ordering: .acquiring)
        if let made = Self.made(known)?.takeUnretainedValue(), !made.mark.isChild { return made.value }
        let new = Unmanaged.passRetained(Made(make()))
        let (isOurs, other) = later.compareExchange(
            expected: known, desired: UInt(bitPattern: new.toOpaque()), ordering: .acquiringAndReleasing)
        if isOurs { return new.takeUnretainedValue().value }
        // Another thread of this child was first.
        new.release()
        return Self.made(other)?.takeUnretainedValue().value ?? first.value
    }

    private static func made(_ bits: UInt) -> Unmanaged<Made>? {
        UnsafeRawPointer(bitPattern: bits).map { Unmanaged.fromOpaque($0) }
    }
}
