import AttentionCore
import Synchronization

/// Attention in sequential `Float` arithmetic, written from SEMANTICS.md apart from the reference, with one mistake on demand.
///
/// Without a mistake it is the plain kernel that every gate must pass.
final class PlainBackend: Backend {
    let fault: Fault?
    let runs = Atomic<Int>(0)
    let device: DeviceDescription

    init(_ fault: Fault? = nil, kind: DeviceDescription.Kind = .native) {
        self.fault = fault
        device = DeviceDescription(selector: "plain", name: "plain Float", platform: "tests", kind: kind)
    }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        for type in [problem.queryType, problem.valueType] where type == .float64 {
            throw .unsupported(device: device.name, reason: "float64")
        }
        return PlainPlan(backend: self)
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        DeviceLikeStorage(try HostStorage(byteCount: byteCount))
    }
}

/// Memory that the host can only copy from and to, as a device's.
final class DeviceLikeStorage: TensorStorage {
    private let memory: HostStorage
    var byteCount: Int { memory.byteCount }
    var place: String { "plain" }
    var hostBytes: UnsafeMutableRawBufferPointer? { nil }
    var base: UnsafeMutableRawPointer? { memory.hostBytes?.baseAddress }

    init(_ memory: HostStorage) { self.memory = memory }

    func download(from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(AttentionError) {
        try memory.download(from: offset, into: bytes)
    }

    func upload(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AttentionError) {
        try memory.upload(bytes, at: offset)
    }
}

struct PlainPlan: BackendPlan {
    let backend: PlainBackend
    var explanation: PlanExplanation { PlanExplanation(kernel: "plain", choices: ["the only one"]) }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        let (problem, inputs) = try AttentionInputs.withoutBlocks(problem, inputs)
        let run = backend.runs.wrappingAdd(1, ordering: .relaxed).newValue
        var kernel = try PlainKernel(problem, inputs, outputs, backend.fault, run: run)
        kernel.run()
        return RunReport(kernel: "plain", build: .native, scratchBytes: 0)
    }
}

/// A tensor's memory, read and written element by element.
struct Elements {
    let base: UnsafeMutableRawPointer
    let type: ElementType
    let capacity: Int

    init(_ tensor: Tensor) throws(AttentionError) {
        guard let base = tensor.storage.hostBytes?.baseAddress ?? (tensor.storage as? DeviceLikeStorage)?.base else {
            throw .invalid("tensor", .bounds, expected: "memory", found: "none")
        }
        self.base = base
        type = tensor.elementType
        capacity = tensor.storage.byteCount / type.byteCount
    }

    subscript(_ index: Int) -> Float {
        get { Float(type.load(base, index)) }
        nonmutating set { if index >= 0 && index < capacity { type.store(Double(newValue), base, index) } }
    }
}
