import AttentionCore
import HostKernels
import KernelCalls

extension NativeBackend {
    func perform(_ step: AdditiveAttentionOperation) throws(AttentionError) -> Bool {
        guard step.batch > 0, step.queries > 0 else { return true }
        var call = LayerCall()
        call.arguments.x = UnsafeRawPointer(call.place(step.query))
        call.arguments.second = UnsafeRawPointer(call.place(step.key))
        call.arguments.third = UnsafeRawPointer(call.place(step.value))
        call.arguments.weight = UnsafeRawPointer(call.place(step.weight))
        call.arguments.o = call.place(step.output)
        call.arguments.also = call.place(step.probabilities)
        guard call.isHere else { return false }
        // A tanh takes the time of some thirty multiply-adds.
        let each = 30 * step.width + step.columns
        let keys = step.keyLengths.reduce(0, +)
        let threads = threads(multiplyAdds: step.queries &* keys &* each)
        try step.keyLengths.map { Int32($0) }.withUnsafeBufferPointer { (lengths) throws(AttentionError) in
            call.arguments.numbers = lengths.baseAddress
            try call.run(
                layers.additive, KernelAdditive(step), width: step.queries, height: step.batch, threads: threads,
                on: pool)
        }
        return true
    }
}
