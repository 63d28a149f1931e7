import AttentionCore
import HostKernels
import KernelCalls

extension NativeBackend {
    func perform(_ step: LinearOperation) throws(AttentionError) -> Bool {
        guard step.rows > 0, step.outputs > 0 else { return true }
        var call = LayerCall()
        call.arguments.x = UnsafeRawPointer(call.place(step.input.tensor))
        call.arguments.second = UnsafeRawPointer(call.place(step.residual?.tensor))
        call.arguments.bias = call.place(step.bias).map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) }
        call.arguments.o = call.place(step.output.tensor)
        guard call.isHere else { return false }
        let tiles = linearTiles
        let weight = try packed(step.weight, tiles)
        call.arguments.weight = weight.base
        let elementBytes = weight.source.elementType.byteCount
        // Few rows are bound by reading the weights.
        let shared = max(
            threads(multiplyAdds: step.rows * step.inputs * step.outputs),
            threads(bytes: step.inputs * step.outputs * elementBytes))
        let split = LinearSplit(rows: step.rows, outputs: step.outputs, tiles: tiles, computeUnits: shared)
        var problem = KernelLinear(step)
        problem.itemTiles = Int32(split.itemTiles)
        problem.itemPanels = Int32(split.itemPanels)
        try call.run(
            layers.linear, problem, width: split.rowItems, height: split.panelItems, threads: shared, on: pool)
        withExtendedLifetime(weight) {}
        return true
    }

    /// `weight` as this instruction set reads it; another's is packed for the call.
    private func packed(_ weight: any PreparedWeight, _ tiles: LinearTiles) throws(AttentionError) -> NativeWeight {
        if let known = weight as? NativeWeight, known.tiles == tiles { return known }
        let source = weight.source
        return try NativeWeight(
            source, tiles, on: pool, threads: threads(bytes: source.count * source.elementType.byteCount))
    }
}
