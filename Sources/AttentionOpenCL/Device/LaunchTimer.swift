import OpenCLRuntime

/// Keeps the events of launches: to hear of those that end in an error, and to add up their time if asked to.
///
/// A queue that is finished says nothing about how its commands ended: some drivers report a kernel that died in its event alone.
final class LaunchTimer {
    private let isOn: Bool
    private var events: [Event] = []
    /// Of the launches that have ended well.
    private var nanoseconds: UInt64 = 0

    init(isOn: Bool) { self.isOn = isOn }

    func run(_ launch: consuming Launch, on queue: Queue, global: WorkSize, local: WorkSize?) throws(OpenCLError) {
        events.append(try launch.run(on: queue, global: global, local: local))
    }

    /// Looks at how the launches so far ended. Call it when their queue is finished.
    ///
    /// - Throws: The status of the first that ended in an error.
    func check() throws(OpenCLError) {
        // rusticl 22.3.6 finishes a queue at once if all its commands were flushed before; they run in order.
        var failure: OpenCLError?
        do throws(OpenCLError) { try events.last?.wait() } catch { failure = error }
        for event in events {
            if case .failed(let status) = try event.progress() {
                throw .callFailed(
                    function: "clEnqueueNDRangeKernel", status: status, context: "the command ended in an error")
            }
            if isOn { nanoseconds += try event.times().duration }
        }
        // What a command ended with says more than that waiting for it failed.
        if let failure { throw failure }
        events.removeAll(keepingCapacity: true)
    }

    /// Nanoseconds of all launches that were looked at; `nil` if they were not measured.
    var total: UInt64? { isOn ? nanoseconds : nil }
}
