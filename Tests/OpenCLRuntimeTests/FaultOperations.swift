import OpenCLRuntime
import TestSupport

/// What the operations below work on, made through a faulty loader while it does not fail.
final class FaultBench {
    let loader: FaultyLoader
    let library: OpenCLLibrary
    let device: Device
    let context: Context
    let queue: Queue
    let profiled: Queue
    let buffer: Buffer
    let other: Buffer
    let program: Program
    let binary: [UInt8]

    static let text = "kernel void add(global int *a, global int *b, int n) { a[get_global_id(0)] = n; b[0] = n; }"

    init(_ name: String) throws {
        loader = try FaultyLoader()
        library = try OpenCLLibrary.open(path: loader.path)
        let platforms = try library.platforms().filter { $0.name == name }
        device = try platforms[0].devices()[0]
        context = try Context(device: device)
        queue = try Queue(context: context)
        profiled = try Queue(context: context, profiling: true)
        buffer = try Buffer(context: context, byteCount: 4096)
        other = try Buffer(context: context, byteCount: 4096)
        program = try Program.build(name: "add.cl", source: Self.text, in: context)
        binary = try program.binary()
    }

    func launch(_ queue: Queue) throws -> Event {
        try program.launch("add").buffer(buffer).buffer(other).int32(7).run(on: queue, global: WorkSize(64))
    }
}

/// Something that is done with OpenCL; together they call every function there is.
struct FaultOperation: Sendable {
    let name: String
    let run: @Sendable (FaultBench) throws -> Void

    init(_ name: String, _ run: @escaping @Sendable (FaultBench) throws -> Void) {
        self.name = name
        self.run = run
    }

    static let all: [FaultOperation] = objects + commands + programs

    private static let objects = [
        FaultOperation("platforms and devices") { bench in
            for platform in try bench.library.platforms() where platform.name == bench.device.platform.name {
                _ = (platform.vendor, platform.version)
                _ = try platform.devices()
            }
        },
        FaultOperation("parts of a device") { bench in
            _ = try bench.device.split(1)
        },
        FaultOperation("a context") { bench in
            _ = try Context(device: bench.device)
        },
        FaultOperation("the caller's own objects") { bench in
            let context = try Context(wrapping: bench.context.unsafeHandle, library: bench.library)
            let queue = try Queue(wrapping: bench.queue.unsafeHandle, context: context)
            let buffer = try Buffer(wrapping: bench.buffer.unsafeHandle, context: context)
            let device = try Device(wrapping: bench.device.unsafeHandle, library: bench.library)
            withExtendedLifetime((queue, buffer, device)) {}
        },
        FaultOperation("queues") { bench in
            _ = try Queue(context: bench.context)
            _ = try Queue(context: bench.context, profiling: true)
        },
        FaultOperation("buffers") { bench in
            let values: [Int32] = [1, 2, 3]
            _ = try values.withUnsafeBytes { try Buffer(context: bench.context, copying: $0) }
            let whole = try Buffer(context: bench.context, byteCount: 4096, hostVisible: true)
            _ = try whole.part(at: 1024, byteCount: 512)
        },
        FaultOperation("host memory in place") { bench in
            let owner = SharedBytes()
            _ = try Buffer(
                context: bench.context, sharing: owner.pointer, byteCount: 4096, owner: owner, alignment: 64)
        },
    ]

    private static let commands = [
        FaultOperation("write, copy, fill, read") { bench in
            let values = [Int32](repeating: 3, count: 16)
            try bench.buffer.write(values, on: bench.queue)
            try bench.buffer.copy(byteCount: 32, to: bench.other, on: bench.queue)
            try bench.other.fill(with: 5 as Int32, at: 32, byteCount: 32, on: bench.queue)
            let box = BufferBox(rowPitch: 16, slicePitch: 64)
            try bench.other.copyBox((8, 2, 1), from: box, to: bench.buffer, as: box, on: bench.queue)
            _ = try bench.other.read(Int32.self, count: 16, on: bench.queue)
        },
        FaultOperation("commands with events") { bench in
            let bytes = SharedBytes()
            let whole = UnsafeMutableRawBufferPointer(start: bytes.pointer, count: 64)
            do {
                let write = try bench.buffer.startWriting(UnsafeRawBufferPointer(whole), on: bench.queue)
                let read = try bench.buffer.startReading(into: whole, on: bench.queue, waitFor: [write])
                try read.wait()
                _ = try read.progress()
                try bench.queue.marker().wait()
            } catch {
                // The bytes outlive what may still run on them.
                try? bench.queue.finish()
                throw error
            }
            withExtendedLifetime(bytes) {}
        },
        FaultOperation("flush and finish") { bench in
            try bench.queue.flush()
            try bench.queue.finish()
        },
        FaultOperation("map and unmap") { bench in
            let mapping = try bench.buffer.map(.readWrite, on: bench.queue)
            mapping.bytes[0] = 1
            try mapping.unmap()
            // Given back where nobody can be told.
            _ = try bench.buffer.map(.read, on: bench.queue)
        },
    ]

    private static let programs = [
        FaultOperation("a program from text") { bench in
            _ = try Program.build(name: "add.cl", source: FaultBench.text, in: bench.context)
        },
        FaultOperation("a program that does not build") { bench in
            do {
                _ = try Program.build(name: "bad.cl", source: "kernel void bad( {", in: bench.context)
            } catch OpenCLError.buildFailed(let status, _, _, _, _) where status == .buildProgramFailure {}
        },
        FaultOperation("a program from its binary") { bench in
            _ = try Program.load(binary: bench.binary, name: "add.cl", in: bench.context)
        },
        FaultOperation("what a program is") { bench in
            _ = try bench.program.binary()
            _ = try bench.program.kernelNames()
        },
        FaultOperation("a kernel") { bench in
            _ = try bench.program.kernel("add")
        },
        FaultOperation("a launch") { bench in
            _ = try bench.launch(bench.queue)
            try bench.queue.finish()
        },
        FaultOperation("a launch with times") { bench in
            _ = try bench.launch(bench.profiled).times()
        },
    ]
}

/// Host memory that frees itself. Unchecked: nobody looks at the bytes.
final class SharedBytes: @unchecked Sendable {
    let pointer = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 4096)
    init() { pointer.initializeMemory(as: UInt8.self, repeating: 0, count: 4096) }
    deinit { pointer.deallocate() }
}
