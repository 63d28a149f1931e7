import Attention
import Testing
import Transformers

@Suite struct MultiHeadAttentionTests {
    static let seed: UInt64 = 20_251
    static let width = 24

    static func layer(
        _ device: Device, heads: Int = 4, keyValueHeads: Int? = nil, hasBias: Bool = true, learned: Bool = false,
        zero: Bool = false, rotary: RotaryPositions? = nil
    ) throws -> MultiHeadAttention {
        try MultiHeadAttention(
            Parameters(RandomParameters(seed: seed, spread: 0.3)),
            .init(
                modelDimension: width, heads: heads, keyValueHeads: keyValueHeads, hasBias: hasBias,
                addsLearnedKey: learned, addsZeroKey: zero),
            rotary: rotary, device: device)
    }

    /// Sequences packed one after the other give what each gives alone.
    @Test(arguments: Devices.all, [false, true]) func packedEqualsAlone(device: Device, isCausal: Bool) throws {
        for rotary in [nil, try RotaryPositions(positions: 16, dimension: 6, device: device)] {
            let layer = try Self.layer(device, rotary: rotary)
            let lengths = [3, 1, 7, 5]
            let offsets = lengths.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) }
            let rows = try numbers([16, Self.width], Self.seed + 1, on: device)
            let packed = try layer(rows, mask: .packed(queries: offsets, isCausal: isCausal))
            #expect(packed.shape == rows.shape)
            for (from, to) in zip(offsets, offsets.dropFirst()) {
                let alone = try layer(
                    try rows.sliced(axis: 0, from..<to), mask: isCausal ? .causal : .none)
                try expectClose(try packed.sliced(axis: 0, from..<to), alone, 2e-6, "rows \(from)..<\(to)")
            }
        }
    }

    /// Padding by a mask, by lengths, and by leaving it out.
    @Test(arguments: Devices.all, [false, true]) func padding(device: Device, isCausal: Bool) throws {
        let layer = try Self.layer(device)
        let (batch, length) = (3, 6)
        let lengths = [6, 2, 4]
        var values = try numbers([batch, length, Self.width], Self.seed + 2, on: .reference).doubles()
        for (entry, real) in lengths.enumerated() {
            for row in real..<length {
                for column in 0..<Self.width { values[(entry * length + row) * Self.width + column] = 1e3 }
            }
        }
        let input = try device.tensor(values, shape: [batch, length, Self.width])
        let masked = try Tensor(lengths.flatMap { real in (0..<length).map { $0 >= real } }, shape: [batch, length])
        let infinite = try Tensor(
            lengths.flatMap { real in (0..<length).map { $0 >= real ? -Float.infinity : 0 } }, shape: [batch, length])
        let masks = [
            MultiHeadMask(keyPadding: masked, isCausal: isCausal),
            MultiHeadMask(isCausal: isCausal, keyLengths: lengths),
            MultiHeadMask(keyPadding: infinite, isCausal: isCausal),
        ]
        for mask in masks {
            let found = try layer(input, mask: mask)
            for (entry, real) in lengths.enumerated() {
                func part(_ tensor: Tensor) throws -> Tensor {
                    try tensor.sliced(axis: 0, entry..<entry + 1).sliced(axis: 1, 0..<real)
                }
                let alone = try layer(try part(input), mask: isCausal ? .causal : .none)
                try expectClose(try part(found), alone, 2e-6, "entry \(entry)")
            }
        }
    }

    /// Masks of all ranks, of booleans and of numbers, say the same.
    @Test(arguments: Devices.all) func masks(device: Device) throws {
        for (learned, zero) in [(false, false), (true, true)] {
            let layer = try Self.layer(device, learned: learned, zero: zero)
            let (batch, heads, length) = (2, 4, 5)
            let input = try numbers([batch, length, Self.width], Self.seed + 3, on: device)
            let causal = try layer.attending(input, mask: .causal, weights: .perHead)
            #expect(causal.weights.shape == [batch, heads, length, length + (learned ? 1 : 0) + (zero ? 1 : 0)])
            let masked = (0..<length).flatMap { row in (0..<length).map { $0 > row } }
            let added = masked.map { $0 ? -Float.infinity : 0 }
            func repeated<T>(_ values: [T], _ count: Int) -> [T] { Array((0..<count).map { _ in values }.joined()) }
            let tensors = [
                try Tensor(masked, shape: [length, length]), try Tensor(added, shape: [length, length]),
                try Tensor(repeated(masked, batch * heads), shape: [batch * heads, length, length]),
                try Tensor(repeated(added, heads), shape: [1, heads, length, length]),
                try Tensor(repeated(masked, batch), shape: [batch, 1, length, length]),
            ]
            for tensor in tensors {
                let found = try layer(input, mask: MultiHeadMask(attention: tensor))
                try expectClose(found, causal.output, 2e-6, "shape \(tensor.shape) of \(tensor.elementType)")
            }
            // Every row adds up to 1, and the mean over the heads is the mean.
            let weights = try causal.weights.doubles()
            let averaged = try layer.attending(input, mask: .causal).weights
            let keys = causal.weights.shape[3]
            let means = (0..<batch * length * keys).map { index in
                let (entry, rest) = (index / (length * keys), index % (length * keys))
                return (0..<heads).reduce(0.0) { $0 + weights[(entry * heads + $1) * length * keys + rest] } / 4
            }
            try expectClose(averaged, try Tensor(means, shape: averaged.shape), 1e-6, "averaged")
            for row in 0..<weights.count / keys {
                let sum = weights[row * keys..<(row + 1) * keys].reduce(0, +)
                #expect(abs(sum - 1) < 1e-5, "row \(row)")
            }
        }
    }

    /// One input as query, key and value, given once or three times.
    @Test(arguments: Devices.all) func crossEqualsSelf(device: Device) throws {
        for hasBias in [true, false] {
            let layer = try Self.layer(device, hasBias: hasBias)
            let input = try numbers([2, 5, Self.width], Self.seed + 4, on: device)
            let once = try layer(input)
            try expectClose(try layer(input, key: input), once, 2e-6, "key")
            try expectClose(try layer(input, key: input, value: input), once, 2e-6, "key and value")
        }
    }

    /// Decoding in steps of one row and of several gives the rows of one causal call.
    @Test(arguments: Devices.all, [1, 2, 4]) func cacheEqualsWhole(device: Device, keyValueHeads: Int) throws {
        for rotary in [nil, try RotaryPositions(positions: 16, dimension: 4, pairing: .interleaved, device: device)] {
            let layer = try Self.layer(device, keyValueHeads: keyValueHeads, rotary: rotary)
            let input = try numbers([3, 9, Self.width], Self.seed + 5, on: device)
            let whole = try layer(input, mask: .causal)
            let cache = try layer.makeCache(sequences: 3, capacity: 2)
            for range in [0..<1, 1..<2, 2..<5, 5..<6, 6..<9] {
                // Rows at one stride: a copy of the part.
                let part = try device.tensor(try input.sliced(axis: 1, range))
                let step = try layer(part, cache: cache)
                try expectClose(step, try whole.sliced(axis: 1, range), 2e-6, "rows \(range)")
            }
            #expect(cache.lengths == [9, 9, 9])
        }
    }

    /// Heads that share keys and values are heads with the same rows of the projection.
    @Test(arguments: Devices.all) func groupedHeads(device: Device) throws {
        let (heads, groups, size) = (4, 2, 6)
        let source = RandomParameters(seed: Self.seed, spread: 0.3)
        let small = try Self.layer(device, heads: heads, keyValueHeads: groups)
        var table: [String: Tensor] = [:]
        for (name, columns) in [("in_proj_weight", Self.width), ("in_proj_bias", 1)] {
            let shape =
                name == "in_proj_bias" ? [Self.width + 2 * groups * size] : [Self.width + 2 * groups * size, columns]
            let values = try source.tensor(name, shape: shape).floats()
            var rows = Array(0..<Self.width)
            for part in 0..<2 {
                for head in 0..<heads {
                    let start = Self.width + (part * groups + head * groups / heads) * size
                    rows += Array(start..<start + size)
                }
            }
            let expanded = rows.flatMap { values[$0 * columns..<($0 + 1) * columns] }
            table[name] = try Tensor(expanded, shape: [3 * Self.width] + shape.dropFirst())
        }
        for name in ["out_proj.weight", "out_proj.bias"] {
            let shape = name.hasSuffix("bias") ? [Self.width] : [Self.width, Self.width]
            table[name] = try source.tensor(name, shape: shape)
        }
        let large = try MultiHeadAttention(
            Parameters(ParameterTable(table)), .init(modelDimension: Self.width, heads: heads), device: device)
        let input = try numbers([2, 5, Self.width], Self.seed + 6, on: device)
        try expectClose(try small(input), try large(input), 2e-6, "grouped")
    }

    /// Scores with rotary positions depend on distances alone.
    @Test(arguments: Devices.all) func rotaryIsRelative(device: Device) throws {
        let rotary = try RotaryPositions(positions: 32, dimension: 6, device: device)
        let layer = try Self.layer(device, rotary: rotary)
        let input = try numbers([1, 4, Self.width], Self.seed + 7, on: device)
        let plain = try Self.layer(device)(input)
        let turned = try layer(input, mask: .causal)
        // The same rows behind others that are forgotten stand later, at the same distances.
        let cache = try layer.makeCache()
        _ = try layer(try numbers([1, 3, Self.width], Self.seed + 8, on: device), cache: cache)
        let late = try layer(input, cache: cache)
        var difference = 0.0
        for (a, b) in zip(try plain.doubles(), try turned.doubles()) { difference = max(difference, abs(a - b)) }
        #expect(difference > 1e-3)
        #expect(late.shape == turned.shape)
        let first = try layer(try device.tensor(try input.sliced(axis: 1, 0..<1)))
        try expectClose(first, try turned.sliced(axis: 1, 0..<1), 2e-6, "a row alone attends itself")
    }

    /// What cannot be right throws, and says what.
    @Test(arguments: Devices.all) func badInputs(device: Device) throws {
        let layer = try Self.layer(device)
        let input = try numbers([2, 5, Self.width], 1, on: device)
        func operand(_ body: () throws -> Void) -> String? {
            do {
                try body()
                return nil
            } catch AttentionError.invalid(let invalid) {
                return invalid.operand
            } catch { return "\(error)" }
        }
        let narrow = try numbers([2, 5, 7], 1, on: device)
        #expect(operand { _ = try layer(narrow) } == "query")
        #expect(operand { _ = try layer(input, key: narrow) } == "key")
        #expect(operand { _ = try layer(try numbers([2, 5, 2, Self.width], 1, on: device)) } == "query")
        #expect(operand { _ = try layer(input, key: try numbers([1, 5, Self.width], 1, on: device)) } == "key")
        #expect(
            operand { _ = try layer(input, key: input, value: try numbers([2, 4, Self.width], 1, on: device)) }
                == "value")
        let flags = try Tensor([true, false], shape: [2])
        #expect(operand { _ = try layer(input, mask: .init(keyPadding: flags)) } == "keyPadding")
        #expect(operand { _ = try layer(input, mask: .init(attention: flags)) } == "attention")
        let integers = try Tensor(zeros: [5, 5], elementType: .int32)
        #expect(operand { _ = try layer(input, mask: .init(attention: integers)) } == "attention")
        #expect(operand { _ = try layer(input, mask: .init(keyLengths: [5])) } == "keyLengths")
        #expect(operand { _ = try layer(input, mask: .init(keyLengths: [5, 6])) } == "keyLengths")
        #expect(operand { _ = try layer(input, mask: .packed(queries: [0, 5])) } != nil)
        #expect(operand { _ = try Self.layer(device, heads: 5) } == "heads")
        #expect(operand { _ = try Self.layer(device, keyValueHeads: 3) } == "keyValueHeads")
        let cache = try layer.makeCache(sequences: 3)
        #expect(operand { _ = try layer(input, cache: cache) } == "input")
        #expect(operand { _ = try Self.layer(device, zero: true)(input, cache: cache) } == "cache")
        let parameters = Parameters(ParameterTable([:]))
        #expect(
            operand {
                _ = try MultiHeadAttention(parameters, .init(modelDimension: 8, heads: 2), device: device)
            } == "in_proj_bias")
    }
}
