import Testing

@testable import AttentionCore

@Suite struct SmallFloatTests {
    @Test func everyPatternRoundTrips() {
        for bits in UInt16.min...UInt16.max {
            let half = SmallFloat.float16(bits)
            let brain = SmallFloat.bfloat16(bits)
            if half.isNaN {
                #expect(
                    bits & 0x7C00 == 0x7C00 && bits & 0x3FF != 0
                        && SmallFloat.float16(SmallFloat.float16Bits(half)).isNaN)
            } else {
                #expect(SmallFloat.float16Bits(half) == bits)
            }
            if brain.isNaN {
                #expect(bits & 0x7F80 == 0x7F80 && SmallFloat.bfloat16(SmallFloat.bfloat16Bits(brain)).isNaN)
            } else {
                #expect(SmallFloat.bfloat16Bits(brain) == bits)
            }
        }
    }

    /// Halfway between neighbours goes to the even one, and a hair to either side goes to that side.
    @Test(arguments: [ElementType.float16, .bfloat16])
    func tiesGoToEven(_ type: ElementType) {
        let decode = type == .float16 ? SmallFloat.float16 : SmallFloat.bfloat16
        let encode = type == .float16 ? SmallFloat.float16Bits : SmallFloat.bfloat16Bits
        let infinity: UInt16 = type == .float16 ? 0x7C00 : 0x7F80
        for bits in 0..<infinity - 1 {
            let (low, high) = (decode(bits), decode(bits + 1))
            let middle = low + (high - low) / 2
            let even = bits & 1 == 0 ? bits : bits + 1
            #expect(encode(middle) == even && encode(-middle) == even | 0x8000)
            #expect(encode(middle.nextDown) == bits && encode(middle.nextUp) == bits + 1)
        }
        let largest = decode(infinity - 1)
        let overflow = largest + (largest - decode(infinity - 2)) / 2
        #expect(encode(overflow) == infinity && encode(overflow.nextDown) == infinity - 1)
        #expect(encode(.infinity) == infinity && encode(-.infinity) == infinity | 0x8000)
        #expect(encode(.leastNonzeroMagnitude) == 0 && encode(-0.0) == 0x8000)
    }

    /// 1 + 2⁻¹¹ + 2⁻³⁰ is above the middle of two halves; rounded to single first it becomes the middle, and then goes down.
    @Test func roundsOnce() {
        let value = 1 + 0x1p-11 + 0x1p-30
        #expect(SmallFloat.float16Bits(value) == 0x3C01)
        #expect(SmallFloat.float16Bits(Double(Float(value))) == 0x3C00)
        let brain = 1 + 0x1p-8 + 0x1p-30
        #expect(SmallFloat.bfloat16Bits(brain) == 0x3F81)
        #expect(SmallFloat.bfloat16Bits(Double(Float(brain))) == 0x3F80)
    }

    #if (arch(x86_64) && os(Linux)) || arch(arm64)
        @Test func agreesWithTheStandardLibrary() {
            for bits in UInt16.min...UInt16.max {
                let theirs = Float16(bitPattern: bits)
                let ours = SmallFloat.float16(bits)
                #expect(theirs.isNaN ? ours.isNaN : Double(theirs) == ours)
            }
            var state: UInt64 = 42
            for _ in 0..<200_000 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                // Exponents from below the smallest subnormal to beyond the largest number.
                let exponent = UInt64(1023 - 30 + Int(state >> 58) % 50)
                let value = Double(bitPattern: exponent << 52 | (state & 0xF_FFFF_FFFF_FFFF))
                #expect(Float16(value).bitPattern == SmallFloat.float16Bits(value))
            }
        }
    #endif

    @Test func elementsAreStoredAndLoaded() throws {
        for type in ElementType.allCases {
            let tensor = try Tensor([1.0, 0.0, 1.0], shape: [3], elementType: type)
            #expect(try tensor.doubles() == [1, 0, 1])
            #expect(tensor.storage.byteCount == 3 * type.byteCount)
        }
        #expect(ElementType.float16.rounded(65520).isInfinite && ElementType.float16.rounded(65519) == 65504)
    }
}
