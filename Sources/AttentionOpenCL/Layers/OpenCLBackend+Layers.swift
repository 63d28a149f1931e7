import AttentionCore
import KernelCalls
import OpenCLRuntime

extension OpenCLBackend {
    /// The vectors that layers are computed with: those of the device, or of ``layerFamily``. Below 4 it is the tiled family.
    func layerWidth() throws(AttentionError) -> Int { try width(PlanPolicy(family: layerFamily)) }

    public func prepare(weight: Tensor) throws(AttentionError) -> any PreparedWeight {
        try checkProcess()
        return try OpenCLWeight(weight, weightForm(width: try layerWidth()), self)
    }

    public func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError) {
        try control.check()
        if let refusal = operation.kernelRefusal { throw .unsupported(device: device.name, reason: refusal) }
        switch operation {
        case .linear(let step): try perform(step, control)
        case .normalization(let step): try perform(step, control)
        case .embedding(let step): try perform(step, control)
        case .additiveAttention(let step): try perform(step, control)
        case .rotary(let step): try perform(step, control)
        case .selection(let step): try perform(step, control)
        case .pooling(let step): try perform(step, control)
        case .copy(let step): try perform(step, control)
        }
    }

    private func weightForm(width: Int) -> OpenCLWeight.Form {
        LinearTiles.row(nativeWidth: width).map { .panels(lanes: $0.lanes) } ?? .rows
    }

    /// `weight` as the kernels read it; another's is prepared for the call.
    private func prepared(_ weight: any PreparedWeight, width: Int) throws(AttentionError) -> OpenCLWeight {
        let form = weightForm(width: width)
        if let known = weight as? OpenCLWeight, known.form == form, known.buffer.context === context { return known }
        return try OpenCLWeight(weight.source, form, self)
    }

    private func perform(_ step: LinearOperation, _ control: RunControl) throws(AttentionError) {
        guard step.rows > 0, step.outputs > 0 else { return }
        let width = try layerWidth()
        let weight = try prepared(step.weight, width: width)
        guard let storage = KernelStorage(weight.source.elementType) else {
            throw .unsupported(
                device: device.name, reason: "its kernels have no weights of \(weight.source.elementType)")
        }
        let tiles = LinearTiles.row(nativeWidth: width)
        let found = try layers.first(of: linearKernels(step, storage, tiles), self)
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

    private func perform(_ step: AdditiveAttentionOperation, _ control: RunControl) throws(AttentionError) {
        guard step.batch > 0, step.queries > 0 else { return }
        let isWide = try layerWidth() >= 4
        let lanes = isWide ? try rowLanes() : step.queries > 1 ? 4 : 1
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
            let groups = isWide ? step.queries : (step.queries + lanes - 1) / lanes
            try call.run(launch, groups: groups, step.batch, of: found.kernel.group)
        }
    }
}

extension LayerKernel {
    /// Rows and outputs of a work-group of the linear kernels by work-groups.
    fileprivate var linearTile: (rows: Int, columns: Int) {
        switch self {
        case .linearTiled(let tiles, _, _, _): (tiles.tileM, tiles.tileN)
        case .linearFew(let tiles, _, _, _): (tiles.rows, tiles.columns)
        case .linearWide, .additiveWide, .additiveTiled, .rows, .copy: (1, 1)
        }
    }
}
