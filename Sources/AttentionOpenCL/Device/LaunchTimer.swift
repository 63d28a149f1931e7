import OpenCLRuntime

/// Adds up the time that launches take on the device, if asked to.
final class LaunchTimer {
    private let isOn: Bool
    private var events: [Event] = []

    init(isOn: Bool) { self.isOn = isOn }

    func run(_ launch: consuming Launch, on queue: Queue, global: WorkSize, local: WorkSize?) throws(OpenCLError) {
        if isOn {
            events.append(try launch.run(on: queue, global: global, local: local))
        } else {
            try launch.enqueue(on: queue, global: global, local: local)
        }
    }

    /// Nanoseconds of all launches so far, which must have ended; `nil` if they were not measured.
    func total() throws(OpenCLError) -> UInt64? {
        guard isOn else { return nil }
        var sum: UInt64 = 0
        for event in events { sum += try event.times().duration }
        return sum
    }
}
