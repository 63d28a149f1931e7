/// Conversions between `Double` and the 16-bit storage types, with one rounding, to nearest even.
///
/// Going through `Float` would round twice. They are written out because the standard library's half-precision type is absent
/// on some of the machines Swift runs on.
public enum SmallFloat {
    /// The value of a 16-bit pattern with `exponentBits` of exponent.
    @inlinable
    static func decode(_ bits: UInt16, fractionBits: Int, bias: Int) -> Double {
        let exponentMask = (1 << (15 - fractionBits)) - 1
        let exponent = Int(bits >> UInt16(fractionBits)) & exponentMask
        let fraction = UInt64(bits) & ((1 << UInt64(fractionBits)) - 1)
        let sign = UInt64(bits >> 15) << 63
        if exponent == exponentMask {
            return Double(bitPattern: sign | 0x7FF0_0000_0000_0000 | (fraction << UInt64(52 - fractionBits)))
        }
        if exponent == 0 {
            let size = Double(fraction) * Double(sign: .plus, exponent: 1 - bias - fractionBits, significand: 1)
            return Double(bitPattern: sign | size.bitPattern)
        }
        return Double(bitPattern: sign | UInt64(exponent - bias + 1023) << 52 | (fraction << UInt64(52 - fractionBits)))
    }

    @inlinable
    static func encode(_ value: Double, fractionBits: Int, bias: Int) -> UInt16 {
        let bits = value.bitPattern
        let sign = UInt16(bits >> 48) & 0x8000
        let infinity = UInt16((1 << (15 - fractionBits)) - 1) << UInt16(fractionBits)
        if value.isNaN { return sign | infinity | (1 << UInt16(fractionBits - 1)) }
        let size = bits & 0x7FFF_FFFF_FFFF_FFFF
        let exponent = Int(size >> 52) - 1023
        if exponent > bias { return sign | infinity }
        if exponent < -bias - fractionBits { return sign }
        // Subnormals keep fewer bits; the carry out of the fraction moves into the exponent by itself.
        let missing = max(0, 1 - bias - exponent)
        let shift = UInt64(52 - fractionBits + missing)
        let significand = (size & 0xF_FFFF_FFFF_FFFF) | 0x10_0000_0000_0000
        let half: UInt64 = 1 << (shift - 1)
        let kept = significand >> shift
        let rest = significand & ((1 << shift) - 1)
        let rounded = kept + ((rest > half || (rest == half && kept & 1 == 1)) ? 1 : 0)
        let base = missing > 0 ? 0 : UInt64(exponent + bias - 1) << UInt64(fractionBits)
        return sign | UInt16(min(base + rounded, UInt64(infinity)))
    }

    @inlinable public static func float16(_ bits: UInt16) -> Double { decode(bits, fractionBits: 10, bias: 15) }
    @inlinable public static func float16Bits(_ value: Double) -> UInt16 { encode(value, fractionBits: 10, bias: 15) }
    @inlinable public static func bfloat16(_ bits: UInt16) -> Double { Double(Float(bitPattern: UInt32(bits) << 16)) }
    @inlinable public static func bfloat16Bits(_ value: Double) -> UInt16 { encode(value, fractionBits: 7, bias: 127) }
}

extension ElementType {
    /// Reads the element at `index` of an array of this type that starts at `base`. Booleans read as 0 or 1.
    @inlinable
    public func load(_ base: UnsafeRawPointer, _ index: Int) -> Double {
        switch self {
        case .float64: base.loadUnaligned(fromByteOffset: index * 8, as: Double.self)
        case .float32: Double(base.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
        case .float16: SmallFloat.float16(base.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
        case .bfloat16: SmallFloat.bfloat16(base.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
        case .bool: base.load(fromByteOffset: index, as: UInt8.self) == 0 ? 0 : 1
        case .int32: Double(base.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
        case .int64: Double(base.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
        }
    }

    /// Stores `value`, rounded once to this type, at `index`. Integer types take finite values within their range only.
    @inlinable
    public func store(_ value: Double, _ base: UnsafeMutableRawPointer, _ index: Int) {
        switch self {
        case .float64: base.storeBytes(of: value, toByteOffset: index * 8, as: Double.self)
        case .float32: base.storeBytes(of: Float(value), toByteOffset: index * 4, as: Float.self)
        case .float16: base.storeBytes(of: SmallFloat.float16Bits(value), toByteOffset: index * 2, as: UInt16.self)
        case .bfloat16: base.storeBytes(of: SmallFloat.bfloat16Bits(value), toByteOffset: index * 2, as: UInt16.self)
        case .bool: base.storeBytes(of: value == 0 ? 0 : 1, toByteOffset: index, as: UInt8.self)
        case .int32: base.storeBytes(of: Int32(exactly: value) ?? 0, toByteOffset: index * 4, as: Int32.self)
        case .int64: base.storeBytes(of: Int64(exactly: value) ?? 0, toByteOffset: index * 8, as: Int64.self)
        }
    }

    /// `value` rounded to this type and back.
    @inlinable
    public func rounded(_ value: Double) -> Double {
        switch self {
        case .float32: Double(Float(value))
        case .float16: SmallFloat.float16(SmallFloat.float16Bits(value))
        case .bfloat16: SmallFloat.bfloat16(SmallFloat.bfloat16Bits(value))
        case .float64, .bool, .int32, .int64: value
        }
    }
}
