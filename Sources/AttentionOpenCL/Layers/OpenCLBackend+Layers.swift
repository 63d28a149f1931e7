import AttentionCore
import KernelCalls
import OpenCLRuntime

extension OpenCLBackend {
    /// The vectors that layers are computed with: those of the device, or of ``layerFamily``. Below 4 it is the tiled family.
    func layerWidth() throws(AttentionError) -> Int {
        if let kernel = layers.only { return kernel.width }
        return try width(PlanPolicy(family: layerFamily))
    }

    /// Runs `body`, which does one step, with the vectors of the family that layers are computed with. Where that has no kernel that
    /// can be trusted the tiled one takes over, unless the caller or a test has asked for a family. Not the other way round: a narrow
    /// device takes minutes to compile wide vectors.
    private func withWidth(_ body: (Int) throws(AttentionError) -> Void) throws(AttentionError) {
        let width = try layerWidth()
        do throws(AttentionError) { return try body(width) } catch {
            guard case .unsupported(_, let first) = error, width >= 4, layerFamily == nil, layers.only == nil else {
                throw error
            }
            do throws(AttentionError) { return try body(1) } catch {
                guard case .unsupported(_, let second) = error, second != first else { throw error }
                throw .unsupported(device: device.name, reason: "\(first); \(second)")
            }
        }
    }

    public func prepare(weight: Tensor) throws(AttentionError) -> any PreparedWeight {
        try checkProcess()
        return try OpenCLWeight(weight, weightForm(width: try layerWidth()), self)
    }

    public func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError) {
        try control.check()
        if let refusal = operation.kernelRefusal { throw .unsupported(device: device.name, reason: refusal) }
        try withWidth { (width) throws(AttentionError) in
            switch operation {
            case .linear(let step): try perform(step, width, control)
            case .normalization(let step): try perform(step, width, control)
            case .embedding(let step): try perform(step, width, control)
            case .additiveAttention(let step): try perform(step, width, control)
            case .rotary(let step): try perform(step, width, control)
            case .selection(let step): try perform(step, width, control)
            case .pooling(let step): try perform(step, width, control)
            case .copy(let step): try perform(step, width, control)
            }
        }
    }

    private func weightForm(width: Int) -> OpenCLWeight.Form {
        LinearTiles.row(nativeWidth: width).map { .panels(lanes: $0.lanes) } ?? .rows
    }

    /// `weight` as the kernels read it; another's is prepared for the call.
    private func prepared(_ weight: any PreparedWeight, width: Int) throws(AttentionError) -> OpenCLWeight {
        let form = weightForm(width: width)
        if let known = weight as? OpenCLWeight, known.buffer.context === context {
            return try known.inForm(form, self)
        }
        return try OpenCLWeight(weight.source, form, self)
    }

    private func perform(_ step: LinearOperation, _ width: Int, _ control: RunControl) throws(AttentionError) {
        guard step.rows > 0, step.outputs > 0 else { return }
        guard let storage = KernelStorage(step.weight.source.elementType) else {
            throw .unsupported(
                device: device.name, reason: "its kernels have no weights of \(step.weight.source.elementType)")
        }
        let tiles = LinearTiles.row(nativeWidth: width)
        let found = try layers.first(of: linearKernels(step, storage, tiles), self)
        let weight = try prepared(step.weight, width: width)
        try withLayerCall(control) { (call) throws(OpenCLError) in
            var p = KernelLinear(step)
            let x = try call.input(step.input.tensor, &p.x.offset)
            let bias = try call.input(step.bias, &p.bias)
            let residual = try call.input(step.residual?.tensor, &p.residual.offset)
            let o = try call.output(step.output.tensor, &p.o.offset)
            let (width, height): (Int, Int)
            if let tiles {
                let split = LinearSplit(
                    rows: step.rows, outputs: step.outputs, tiles: tiles, computeUnits: profile.computeUnits)
                p.itemTiles = Int32(split.itemTiles)
                p.itemPanels = Int32(split.itemPanels)
                (width, height) = (split.rowItems, split.panelItems)
            } else {
                p.setAligned()
                let tile = found.kernel.linearTile
                width = (step.outputs + tile.columns - 1) / tile.columns
                height = (step.rows + tile.rows - 1) / tile.rows
            }
            call.commands.hold(weight.buffer)
            let launch = try found.program.launch()
                .buffer(x).buffer(weight.buffer).buffer(bias).buffer(residual).buffer(o).bytes(of: p)
            try call.run(launch, groups: width, height, of: found.kernel.group)
        }
    }

    private func linearKernels(
        _ step: LinearOperation, _ storage: KernelStorage, _ tiles: LinearTiles?
    ) -> [LayerKernel] {
        if let tiles {
            // One compiler for narrow devices knows no way to ask for memory ahead.
            let hasFlatMemory = profile.hasFlatMemory && profile.family == "wide"
            return [.linearWide(lanes: tiles.lanes, weight: storage, hasFlatMemory: hasFlatMemory)]
        }
        let (fuses, subGroup) = (profile.fusesMultiplyAdd, profile.roomiestSubGroup)
        if step.rows <= FewRowTiles.mostRows {
            let rows = FewRowTiles.rows(
                step.rows, largestGroup: profile.largestGroup, localBytes: profile.localMemoryBytes)
            return rows.map { .linearFew(tiles: $0, weight: storage, fuses: fuses, subGroup: subGroup) }
        }
        let rows = GroupTiles.rows(
            rows: step.rows, outputs: step.outputs, computeUnits: profile.computeUnits,
            largestGroup: profile.largestGroup, localBytes: profile.localMemoryBytes)
        return rows.map { .linearTiled(tiles: $0, weight: storage, fuses: fuses, subGroup: subGroup) }
    }

    private func perform(
        _ step: AdditiveAttentionOperation, _ width: Int, _ control: RunControl
    ) throws(AttentionError) {
        guard step.batch > 0, step.queries > 0 else { return }
        let isWide = width >= 4
        let lanes = isWide ? rowLanes(width) : step.queries > 1 ? 4 : 1
        let kernels: [LayerKernel] =
            isWide
            ? [.additiveWide(lanes: lanes, hasShuffles: profile.hasShuffles)]
            : AdditiveTiles.groups.filter {
                $0 <= profile.largestGroup
                    && AdditiveTiles.localBytes(group: $0, lanes: lanes) <= profile.localMemoryBytes
            }.map {
                .additiveTiled(
                    items: $0, lanes: lanes, fuses: profile.fusesMultiplyAdd, subGroup: profile.roomiestSubGroup)
            }
        let found = try layers.first(of: kernels, self)
        try withLayerCall(control) { (call) throws(OpenCLError) in
            var p = KernelAdditive(step)
            let q = try call.input(step.query, &p.q.offset)
            let k = try call.input(step.key, &p.k.offset)
            let v = try call.input(step.value, &p.v.offset)
            let weight = try call.input(step.weight, &p.weight)
            let lengths = try call.numbers(step.keyLengths.map { Int32($0) })
            let o = try call.output(step.output, &p.o.offset)
            let probabilities = try call.output(step.probabilities, &p.probabilities.offset)
            let launch = try found.program.launch()
                .buffer(q).buffer(k).buffer(v).buffer(weight).buffer(lengths).buffer(o).buffer(probabilities)
                .bytes(of: p)
            let queries = found.kernel.queries
            try call.run(launch, groups: (step.queries + queries - 1) / queries, step.batch, of: found.kernel.group)
        }
    }
}

extension LayerKernel {
    /// Queries of a work-group of additive attention.
    fileprivate var queries: Int { if case .additiveTiled(_, let lanes, _, _) = self { lanes } else { 1 } }

    /// Rows and outputs of a work-group of the linear kernels by work-groups.
    fileprivate var linearTile: (rows: Int, columns: Int) {
        switch self {
        case .linearTiled(let tiles, _, _, _): (tiles.tileM, tiles.tileN)
        case .linearFew(let tiles, _, _, _): (tiles.rows, tiles.columns)
        case .linearWide, .additiveWide, .additiveTiled, .rows, .copy: (1, 1)
        }
    }
}
