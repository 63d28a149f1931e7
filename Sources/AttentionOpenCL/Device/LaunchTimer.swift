import OpenCLRuntime

/// Follows the launches of a call: whether each one ended well, which `clFinish` does not tell, and how long they took, if asked to.
final class LaunchTimer {
    private let isOn: Bool
    private var events: [Event] = []
    /// How many of them are known to have ended well.
    private var checked = 0

    init(isOn: Bool) { self.isOn = isOn }

    func run(_ launch: consuming Launch, on queue: Queue, global: WorkSize, local: WorkSize?) throws(OpenCLError) {
        events.append(try launch.run(on: queue, global: global, local: local))
    }

    /// Looks at how the launches ended, once the queue is finished.
    func check() throws(OpenCLError) {
        for event in events[checked...] {
            guard case .failed(let status) = try event.progress() else { continue }
            throw .callFailed(
                function: "clEnqueueNDRangeKernel", status: status, context: "the kernel ended in an error")
        }
        if isOn { checked = events.count } else { events.removeAll(keepingCapacity: true) }
    }

    /// Nanoseconds of all launches so far, which must have ended; `nil` if they were not measured.
    func total() throws(OpenCLError) -> UInt64? {
        guard isOn else { return nil }
        var sum: UInt64 = 0
        for event in events { sum += try event.times().duration }
        return sum
    }
}
