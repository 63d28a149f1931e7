import OpenCLRuntime
import Locking
import Testing

@Suite(.needsDevice) struct LaunchTests {
    static let text = """
        typedef struct { long stride; int count; int unused; } Shape;
        __kernel void every(__global float *x, __global float *none, int a, long b, float c, Shape shape, __local float *l) {
            l[get_local_id(0)] = c;
            barrier(CLK_LOCAL_MEM_FENCE);
            int i = get_global_id(0);
            x[i] = none == 0 ? a + b + l[get_local_id(0)] + shape.stride + shape.count : -1;
        }
        __kernel __attribute__((reqd_work_group_size(4, 1, 1))) void fixed(__global int *x) {
            x[get_global_id(0)] = get_local_size(0);
        }
        __kernel void place(__global int *x) {
            x[get_global_id(0) + 2 * (get_global_id(1) + 3 * get_global_id(2))] =
                get_global_id(0) + 10 * get_global_id(1) + 100 * get_global_id(2);
        }
        """

    struct Shape: BitwiseCopyable {
        var stride: Int64
        var count: Int32
        var unused: Int32 = 0
    }

    struct Ragged: BitwiseCopyable {
        var stride: Int64 = 0
        var count: Int32 = 0
    }

    @Test(arguments: Machine.subjects)
    func everyKindOfArgument(_ subject: Subject) throws {
        let queue = try subject.queue(profiling: true)
        let program = try subject.program(Self.text)
        let buffer = try Buffer(context: subject.context, byteCount: 64)
        let event = try program.launch("every")
            .buffer(buffer).buffer(nil).int32(5).int64(70).float(0.5).bytes(of: Shape(stride: 1000, count: 2))
            .local(bytes: 32)
            .run(on: queue, global: WorkSize(16), local: WorkSize(8))
        #expect(try event.times().duration < 10_000_000_000)
        #expect(try buffer.read(Float.self, count: 16, on: queue) == [Float](repeating: 1077.5, count: 16))
    }

    @Test(arguments: Machine.subjects)
    func threeSides(_ subject: Subject) throws {
        let queue = try subject.queue()
        let buffer = try Buffer(context: subject.context, byteCount: 24 * 4)
        try subject.program(Self.text).launch("place").buffer(buffer).enqueue(on: queue, global: WorkSize(2, 3, 4))
        let expected = (0..<24).map { (i: Int) -> Int32 in
            let (x, y, z) = (i % 2, i / 2 % 3, i / 6)
            return Int32(x + 10 * y + 100 * z)
        }
        #expect(try buffer.read(Int32.self, count: 24, on: queue) == expected)
    }

    @Test(arguments: Machine.subjects)
    func aFixedWorkGroup(_ subject: Subject) throws {
        let queue = try subject.queue()
        let program = try subject.program(Self.text)
        let buffer = try Buffer(context: subject.context, byteCount: 8 * 4)
        #expect(try program.kernel("fixed").requiredWorkGroup == WorkSize(4))
        #expect(try program.kernel("every").requiredWorkGroup == nil)
        // Left open, it is what the kernel asks for: some drivers refuse null here.
        try program.launch("fixed").buffer(buffer).enqueue(on: queue, global: WorkSize(8))
        #expect(try buffer.read(Int32.self, count: 8, on: queue) == [Int32](repeating: 4, count: 8))
        refusal("compiled for (4, 1, 1)") {
            try program.launch("fixed").buffer(buffer).enqueue(on: queue, global: WorkSize(8), local: WorkSize(2))
        }
        refusal("does not divide") {
            try program.launch("fixed").buffer(buffer).enqueue(on: queue, global: WorkSize(6))
        }
    }

    @Test(arguments: Machine.subjects)
    func whatIsRefused(_ subject: Subject) throws {
        let queue = try subject.queue()
        let program = try subject.program(Self.text)
        let kernel = try program.kernel("place")
        let info = subject.device.info
        let buffer = try Buffer(context: subject.context, byteCount: 4096)

        refusal("0 arguments; the kernel takes 1") { try kernel.launch().enqueue(on: queue, global: WorkSize(1)) }
        refusal("argument 1") { try kernel.launch().buffer(buffer).int32(1).enqueue(on: queue, global: WorkSize(1)) }
        for bad in [WorkSize(0), WorkSize(1, 0), WorkSize(1, 1, -1), WorkSize(Int.max, 2)] {
            refusal("global size") { try kernel.launch().buffer(buffer).enqueue(on: queue, global: bad) }
        }
        func local(_ global: WorkSize, _ local: WorkSize) throws {
            try kernel.launch().buffer(buffer).enqueue(on: queue, global: global, local: local)
        }
        refusal("work-group (0, 1, 1)") { try local(WorkSize(8), WorkSize(0)) }
        refusal("does not divide") { try local(WorkSize(9), WorkSize(2)) }
        refusal("at most \(kernel.maxWorkGroupSize) run") {
            try local(WorkSize(kernel.maxWorkGroupSize + 1), WorkSize(kernel.maxWorkGroupSize + 1))
        }
        refusal("work-group") { try local(WorkSize(Int.max), WorkSize(Int.max, Int.max)) }

        let other = try Context(device: subject.device)
        let foreign = try Buffer(context: other, byteCount: 16)
        refusal("another context") { try kernel.launch().buffer(foreign).enqueue(on: queue, global: WorkSize(1)) }
        refusal("another context") {
            try kernel.launch().buffer(buffer).enqueue(on: try Queue(context: other), global: WorkSize(1))
        }

        func localMemory(_ bytes: Int) throws {
            try program.launch("every").buffer(buffer).buffer(nil).int32(0).int64(0).float(0)
                .bytes(of: Shape(stride: 0, count: 0)).local(bytes: bytes)
                .enqueue(on: queue, global: WorkSize(1), local: WorkSize(1))
        }
        refusal("local memory") { try localMemory(info.localMemoryBytes + 1) }
        refusal("local memory") { try localMemory(Int.max) }
        refusal("local memory") { try localMemory(0) }
        refusal("local memory") { try localMemory(-1) }
        #expect(throws: OpenCLError.self) {
            try kernel.launch().int64(0).int64(0).enqueue(on: queue, global: WorkSize(1))
        }
        refusal("12 bytes and 4 of padding") {
            try program.launch("every").buffer(buffer).buffer(nil).int32(0).int64(0).float(0).bytes(of: Ragged())
                .enqueue(on: queue, global: WorkSize(1))
        }
        // After all that the kernel still works.
        try kernel.launch().buffer(buffer).enqueue(on: queue, global: WorkSize(2, 3, 4), local: WorkSize(2, 1, 1))
        #expect(try buffer.read(Int32.self, count: 2, on: queue) == [0, 1])
    }

    @Test(arguments: Machine.subjects)
    func aBufferLivesUntilItsKernelRan(_ subject: Subject) throws {
        let queue = try subject.queue()
        let program = try subject.program(Self.text)
        for _ in 0..<50 {
            // The only reference goes before the launch is enqueued.
            try program.launch("place").buffer(try Buffer(context: subject.context, byteCount: 96))
                .enqueue(on: queue, global: WorkSize(2, 3, 4))
        }
        try queue.finish()
    }

    @Test(arguments: Machine.subjects)
    func eightThreads(_ subject: Subject) throws {
        let program = try subject.program(
            "__kernel void put(__global int *x, int v) { x[get_global_id(0)] = v + (int)get_global_id(0); }")
        let failures = Guarded<[String]>([])
        onThreads(8) { thread in
            do {
                let queue = try subject.queue()
                let buffer = try Buffer(context: subject.context, byteCount: 256)
                for round in 0..<25 {
                    let value = Int32(thread * 1000 + round)
                    try program.launch("put").buffer(buffer).int32(value).enqueue(on: queue, global: WorkSize(64))
                    let result = try buffer.read(Int32.self, count: 64, on: queue)
                    if result != (0..<64).map({ value + $0 }) { failures.withLock { $0.append("thread \(thread)") } }
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
    }
}
