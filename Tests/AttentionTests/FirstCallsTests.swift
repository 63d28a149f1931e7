import Foundation
import TestSupport
import Testing

@testable import Attention

/// Many threads look for a device at once, in a process that has not used OpenCL yet. PoCL 3.1 crashes if its first calls overlap.
@Suite(.enabled(if: OwnProcess.isChild, "runs in a process of its own: OwnProcessTests"))
struct FirstCallsTests {
    @Test(.timeLimit(.minutes(2))) func allFindOneAndAreRight() throws {
        let call = try PreparedCall(.fused)
        let group = DispatchGroup()
        for _ in 0..<8 {
            group.enter()
            Thread {
                do {
                    let device = try Device.select()
                    #expect(try call.isRight(on: device, .automatic, isFallback: false))
                } catch { Issue.record(error) }
                group.leave()
            }.start()
        }
        group.wait()
    }
}
