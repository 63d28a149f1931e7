import AttentionCore
import AttentionReference
import Testing

@Suite struct SpeedTests {
    /// The verifier evaluates thousands of calls: what 8 heads of 512 × 512 × 64 take is printed, and bounded in release alone.
    @Test func eightHeadsOf512() throws {
        var test = TestCase()
        test.shape = AttentionShape(queryHeads: 8, queryLength: 512, keyLength: 512, headDimension: 64)
        #if DEBUG
            test.shape.queryLength = 8
        #endif
        let (problem, inputs) = try test.make()
        let clock = ContinuousClock()
        let time = try clock.measure { _ = try Reference.evaluate(problem, inputs) }
        print("reference with bounds, \(test.shape): \(time)")
        #expect(time < .seconds(20))
    }
}
