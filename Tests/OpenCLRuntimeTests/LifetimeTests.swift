import OpenCLRuntime
import Testing

/// Nothing that owns a handle is kept alive by something it owns.
@Suite(.needsDevice) struct LifetimeTests {
    @Test(arguments: Machine.subjects)
    func everythingGoesWithItsLastReference(_ subject: Subject) throws {
        weak var context: Context?
        weak var program: Program?
        weak var queue: Queue?
        weak var buffer: Buffer?
        weak var event: Event?
        do {
            let cache = ProgramCache(folder: nil)
            let source = try ProgramSource(name: "k", source: "__kernel void put(__global int *x) { x[0] = 1; }")
            let newContext = try Context(device: subject.device)
            let newProgram = try cache.program(source, in: newContext).program
            let newQueue = try Queue(context: newContext)
            let newBuffer = try Buffer(context: newContext, byteCount: 4)
            let newEvent = try newProgram.launch("put").buffer(newBuffer).run(on: newQueue, global: WorkSize(1))
            (context, program, queue, buffer, event) = (newContext, newProgram, newQueue, newBuffer, newEvent)
            try newEvent.wait()
            #expect(context != nil && program != nil && queue != nil && buffer != nil && event != nil)
            withExtendedLifetime((newContext, newProgram, newQueue, newBuffer, newEvent)) {}
        }
        #expect(context == nil)
        #expect(program == nil)
        #expect(queue == nil)
        #expect(buffer == nil)
        #expect(event == nil)
    }

    @Test(arguments: Machine.subjects)
    func aProgramOutlivesItsContextObject(_ subject: Subject) throws {
        var program: Program?
        do {
            let context = try Context(device: subject.device)
            program = try Program.build(
                name: "k", source: "__kernel void put(__global int *x) { x[0] = 1; }", in: context)
        }
        #expect(try program?.kernelNames() == ["put"])
        #expect(try program?.kernel("put").argumentCount == 1)
    }

    @Test(arguments: Machine.subjects)
    func anAbandonedLaunchHoldsNothing(_ subject: Subject) throws {
        let program = try subject.program("__kernel void put(__global int *x, int v) { x[0] = v; }")
        weak var buffer: Buffer?
        do {
            let kept = try Buffer(context: subject.context, byteCount: 4)
            buffer = kept
            _ = try program.launch("put").buffer(kept)
        }
        #expect(buffer == nil)
        let queue = try subject.queue()
        let other = try Buffer(context: subject.context, byteCount: 4)
        try program.launch("put").buffer(other).int32(3).enqueue(on: queue, global: WorkSize(1))
        #expect(try other.read(Int32.self, count: 1, on: queue) == [3])
    }
}
