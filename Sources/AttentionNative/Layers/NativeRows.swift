import AttentionCore
import HostKernels
import KernelCalls

/// The steps that go row by row.
extension NativeBackend {
    func perform(_ step: NormalizationOperation) throws(AttentionError) -> Bool {
        guard step.rows > 0, step.columns > 0 else { return true }
        var call = LayerCall()
        call.arguments.x = UnsafeRawPointer(call.place(step.input.tensor))
        call.arguments.second = UnsafeRawPointer(call.place(step.residual?.tensor))
        call.arguments.weight = UnsafeRawPointer(call.place(step.weight))
        call.arguments.bias = call.place(step.bias).map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) }
        call.arguments.also = call.place(step.sum?.tensor)
        call.arguments.o = call.place(step.output.tensor)
        guard call.isHere else { return false }
        var problem = KernelNormalization(step)
        try runRows(&call, layers.layer_norm, step.rows, numbers: 3 * step.columns) { itemRows in
            problem.itemRows = Int32(itemRows)
            return problem
        }
        return true
    }

    func perform(_ step: EmbeddingOperation) throws(AttentionError) -> Bool {
        guard step.rows > 0, step.columns > 0 else { return true }
        let terms = step.terms
        var call = LayerCall()
        call.arguments.x = UnsafeRawPointer(call.place(terms[0].table.tensor))
        call.arguments.second = UnsafeRawPointer(call.place(terms.count > 1 ? terms[1].table.tensor : nil))
        call.arguments.third = UnsafeRawPointer(call.place(terms.count > 2 ? terms[2].table.tensor : nil))
        call.arguments.o = call.place(step.output.tensor)
        guard call.isHere else { return false }
        var problem = KernelEmbedding(step)
        let indices = terms.count == 1 ? terms[0].indices : terms.flatMap(\.indices)
        try runRows(
            &call, layers.embedding, step.rows, numbers: (terms.count + 1) * step.columns, with: indices
        ) { itemRows in
            problem.itemRows = Int32(itemRows)
            return problem
        }
        return true
    }

    func perform(_ step: RotaryOperation) throws(AttentionError) -> Bool {
        var problem = KernelRotary(step)
        guard problem.rows > 0, problem.dimension > 0 else { return true }
        var call = LayerCall()
        call.arguments.x = UnsafeRawPointer(call.place(step.input))
        call.arguments.second = UnsafeRawPointer(call.place(step.cosines.tensor))
        call.arguments.third = UnsafeRawPointer(call.place(step.sines.tensor))
        call.arguments.o = call.place(step.output)
        guard call.isHere else { return false }
        try runRows(
            &call, layers.rotary, Int(problem.rows), numbers: 3 * Int(problem.dimension), with: step.starts
        ) { itemRows in
            problem.itemRows = Int32(itemRows)
            return problem
        }
        return true
    }

    func perform(_ step: PoolingOperation) throws(AttentionError) -> Bool {
        guard step.sequences > 0, step.columns > 0 else { return true }
        var call = LayerCall()
        call.arguments.x = UnsafeRawPointer(call.place(step.input.tensor))
        call.arguments.o = call.place(step.output.tensor)
        guard call.isHere else { return false }
        let bytes = (step.input.rows + 2 * step.sequences) * step.columns * 4
        try step.offsets.withUnsafeBufferPointer { (offsets) throws(AttentionError) in
            call.arguments.numbers = offsets.baseAddress
            try call.run(
                layers.pool, KernelPooling(step), width: step.sequences, threads: threads(bytes: bytes), on: pool)
        }
        return true
    }

    func perform(_ step: SelectionOperation) throws(AttentionError) -> Bool {
        guard step.rows > 0 else { return true }
        var call = LayerCall()
        call.arguments.x = UnsafeRawPointer(call.place(step.logits.tensor))
        call.arguments.also = call.place(step.indices.tensor)
        call.arguments.o = call.place(step.values.tensor)
        guard call.isHere else { return false }
        let bytes = step.rows * step.columns * 4 * (step.count + 2)
        try call.run(
            layers.select_top, KernelSelection(step), width: step.rows, threads: threads(bytes: bytes), on: pool)
        return true
    }

    func perform(_ step: CopyOperation) throws(AttentionError) -> Bool {
        guard step.target.count > 0 else { return true }
        var call = LayerCall()
        call.arguments.x = UnsafeRawPointer(call.place(step.source))
        call.arguments.o = call.place(step.target)
        guard call.isHere else { return false }
        let kernels = layers.copy
        let kernel =
            switch step.target.elementType.byteCount {
            case 1: kernels.0
            case 2: kernels.1
            case 4: kernels.2
            default: kernels.3
            }
        var problem = KernelCopy(step)
        let threads = threads(bytes: step.target.count * step.target.elementType.byteCount)
        let parts = problem.divide(computeUnits: threads)
        guard let entries = step.entries else {
            try call.run(kernel, problem, width: parts.rows, height: parts.columns, threads: threads, on: pool)
            return true
        }
        try entries.withUnsafeBufferPointer { (entries) throws(AttentionError) in
            call.arguments.numbers = entries.baseAddress
            try call.run(kernel, problem, width: parts.rows, height: parts.columns, threads: threads, on: pool)
        }
        return true
    }

    /// Deals `rows` rows, in each of which so many numbers are read and written, out to items. `numbers` are what the kernel looks up.
    private func runRows<Problem: BitwiseCopyable>(
        _ call: inout LayerCall, _ kernel: host_kernel, _ rows: Int, numbers: Int, with list: [Int32] = [],
        _ problem: (_ itemRows: Int) -> Problem
    ) throws(AttentionError) {
        let threads = threads(bytes: rows * numbers * MemoryLayout<Float>.stride)
        let itemRows = RowSplit.itemRows(rows: rows, elements: numbers, computeUnits: threads)
        let told = problem(itemRows)
        try list.withUnsafeBufferPointer { (list) throws(AttentionError) in
            call.arguments.numbers = list.baseAddress
            try call.run(kernel, told, width: (rows + itemRows - 1) / itemRows, threads: threads, on: pool)
        }
    }
}
