import OpenCLRuntime
import Testing

/// Devices divided into parts.
@Suite(.needsDevice) struct SplitTests {
    @Test(arguments: Machine.subjects) func partsRunKernels(_ subject: Subject) throws {
        let whole = subject.device
        let parts: [Device]
        do { parts = try whole.split(2) } catch {
            print("\(whole.name) does not divide: \(error)")
            return
        }
        #expect(parts.count == 2)
        #expect(parts[0] != parts[1])
        for (index, part) in parts.enumerated() {
            #expect(part.info.computeUnits == whole.info.computeUnits / 2)
            let context = try Context(device: part)
            let program = try Program.build(
                name: "k", source: "__kernel void put(__global int *x, int y) { x[get_global_id(0)] = y; }", in: context
            )
            let buffer = try Buffer(context: context, byteCount: 64)
            let queue = try Queue(context: context)
            _ = try program.launch("put").buffer(buffer).int32(Int32(index + 7)).run(on: queue, global: WorkSize(16))
            var found = [Int32](repeating: 0, count: 16)
            try found.withUnsafeMutableBytes { try buffer.read(into: $0, at: 0, on: queue) }
            #expect(found == Array(repeating: Int32(index + 7), count: 16))
        }
    }

    @Test(arguments: Machine.subjects) func partsThatAreNotThereAreRefused(_ subject: Subject) {
        let units = subject.device.info.computeUnits
        for count in [0, -1, units + 1] {
            refusal("compute units") { _ = try subject.device.split(count) }
        }
    }

    /// A part outlives the array that it came in, and goes with its last reference.
    @Test(arguments: Machine.subjects) func aPartIsReleased(_ subject: Subject) throws {
        weak var part: Device?
        do {
            guard let first = try? subject.device.split(1).first else { return }
            part = first
            _ = try Context(device: first)
            #expect(first.info.name == subject.device.name)
        }
        #expect(part == nil)
    }
}
