import Attention
import Consumer
import Testing

@Test func attentionFromAnotherPackage() throws {
    #expect(try averages(of: [1, 2, 3, 4]) == [2, 3])
}

@Test func verifyFromAnotherPackage() throws {
    let report = try Device.select().verify(VerificationOptions(filter: "edge"))
    #expect(report.passed, "\(report)")
}
