import AttentionCore
import KernelCalls
import OpenCLRuntime

/// The steps that go row by row.
extension OpenCLBackend {
    /// Numbers to a vector of the row kernels: GPUs read side by side what neighbouring work-items ask for one by one.
    func rowLanes(_ width: Int) -> Int { LinearTiles.row(nativeWidth: width)?.lanes ?? 1 }

    /// Work-items that share a row, best first: one with wide vectors.
    private func rowItems(lanes: Int) -> [Int] {
        lanes > 1 ? [1] : [64, 32, 16, 8, 1].filter { $0 <= profile.largestGroup }
    }

    private func kernel(_ step: LayerKernel.RowStep, _ width: Int) throws(AttentionError) -> LayerPrograms.Found {
        let lanes = rowLanes(width)
        return try layers.first(
            of: rowItems(lanes: lanes).map {
                .rows(step, lanes: lanes, items: $0, fuses: lanes > 1 || profile.fusesMultiplyAdd)
            }, self)
    }

    /// Rows of a work-group. Where work-items share a row there are work-groups enough.
    private func groupRows(_ kernel: LayerKernel, rows: Int, elements: Int) -> Int {
        kernel.group > 1
            ? 1 : RowSplit.itemRows(rows: rows, elements: elements, computeUnits: profile.computeUnits)
    }

    func perform(_ step: NormalizationOperation, _ width: Int, _ control: RunControl) throws(AttentionError) {
        guard step.rows > 0, step.columns > 0 else { return }
        let found = try kernel(.normalization, width)
        try withLayerCall(control) { (call) throws(OpenCLError) in
            var p = KernelNormalization(step)
            let x = try call.input(step.input.tensor, &p.x.offset)
            let residual = try call.input(step.residual?.tensor, &p.residual.offset)
            let weight = try call.input(step.weight, &p.weight)
            let bias = try call.input(step.bias, &p.bias)
            let sum = try call.output(step.sum?.tensor, &p.sum.offset)
            let o = try call.output(step.output.tensor, &p.o.offset)
            let groupRows = groupRows(found.kernel, rows: step.rows, elements: 3 * step.columns)
            p.itemRows = Int32(groupRows)
            let launch = try found.program.launch()
                .buffer(x).buffer(residual).buffer(weight).buffer(bias).buffer(sum).buffer(o).bytes(of: p)
            try call.run(launch, groups: (step.rows + groupRows - 1) / groupRows, of: found.kernel.group)
        }
    }

    func perform(_ step: EmbeddingOperation, _ width: Int, _ control: RunControl) throws(AttentionError) {
        guard step.rows > 0, step.columns > 0 else { return }
        let found = try kernel(.embedding, width)
        try withLayerCall(control) { (call) throws(OpenCLError) in
            let terms = step.terms
            var p = KernelEmbedding(step)
            let first = try call.input(terms[0].table.tensor, &p.first.offset)
            let second = try call.input(terms.count > 1 ? terms[1].table.tensor : nil, &p.second.offset)
            let third = try call.input(terms.count > 2 ? terms[2].table.tensor : nil, &p.third.offset)
            let indices = try call.numbers(terms.count == 1 ? terms[0].indices : terms.flatMap(\.indices))
            let o = try call.output(step.output.tensor, &p.o.offset)
            let groupRows = groupRows(found.kernel, rows: step.rows, elements: (terms.count + 1) * step.columns)
            p.itemRows = Int32(groupRows)
            let launch = try found.program.launch()
                .buffer(first).buffer(second).buffer(third).buffer(indices).buffer(o).bytes(of: p)
            try call.run(launch, groups: (step.rows + groupRows - 1) / groupRows, of: found.kernel.group)
        }
    }

    func perform(_ step: RotaryOperation, _ width: Int, _ control: RunControl) throws(AttentionError) {
        let shape = step.input.shape
        guard step.input.count > 0 else { return }
        let found = try kernel(.rotary, width)
        try withLayerCall(control) { (call) throws(OpenCLError) in
            var p = KernelRotary(step)
            let x = try call.input(step.input, &p.x.offset)
            let cosines = try call.input(step.cosines.tensor, &p.cosines.offset)
            let sines = try call.input(step.sines.tensor, &p.sines.offset)
            let starts = try call.numbers(step.starts)
            let o = try call.output(step.output, &p.o.offset)
            let rows = Int(p.rows)
            let groupRows = groupRows(found.kernel, rows: rows, elements: 3 * shape[3])
            p.itemRows = Int32(groupRows)
            let launch = try found.program.launch()
                .buffer(x).buffer(cosines).buffer(sines).buffer(starts).buffer(o).bytes(of: p)
            try call.run(launch, groups: (rows + groupRows - 1) / groupRows, of: found.kernel.group)
        }
    }

    func perform(_ step: PoolingOperation, _ width: Int, _ control: RunControl) throws(AttentionError) {
        guard step.sequences > 0, step.columns > 0 else { return }
        let found = try kernel(.pooling, width)
        try withLayerCall(control) { (call) throws(OpenCLError) in
            var p = KernelPooling(step)
            let x = try call.input(step.input.tensor, &p.x.offset)
            let offsets = try call.numbers(step.offsets)
            let o = try call.output(step.output.tensor, &p.o.offset)
            let launch = try found.program.launch().buffer(x).buffer(offsets).buffer(o).bytes(of: p)
            try call.run(launch, groups: step.sequences, of: found.kernel.group)
        }
    }

    func perform(_ step: SelectionOperation, _ width: Int, _ control: RunControl) throws(AttentionError) {
        guard step.rows > 0 else { return }
        let found = try kernel(.selection, width)
        try withLayerCall(control) { (call) throws(OpenCLError) in
            var p = KernelSelection(step)
            let x = try call.input(step.logits.tensor, &p.x.offset)
            let indices = try call.output(step.indices.tensor, &p.indices.offset)
            let values = try call.output(step.values.tensor, &p.values.offset)
            let launch = try found.program.launch().buffer(x).buffer(indices).buffer(values).bytes(of: p)
            try call.run(launch, groups: step.rows, of: found.kernel.group)
        }
    }

    func perform(_ step: CopyOperation, _ width: Int, _ control: RunControl) throws(AttentionError) {
        guard step.target.count > 0 else { return }
        let size = step.target.elementType.byteCount
        let lanes = rowLanes(width)
        let found = try layers.first(of: rowItems(lanes: lanes).map { .copy(elementBytes: size, items: $0) }, self)
        try withLayerCall(control) { (call) throws(OpenCLError) in
            var p = KernelCopy(step)
            let source = try call.input(step.source, &p.source)
            let entries = try step.entries.map { (list) throws(OpenCLError) in try call.numbers(list) } ?? nil
            let target = try call.output(step.target, &p.target)
            let groups = p.divide(computeUnits: profile.computeUnits)
            let launch = try found.program.launch().buffer(source).buffer(entries).buffer(target).bytes(of: p)
            try call.run(launch, groups: groups.rows, groups.columns, of: found.kernel.group)
        }
    }
}
