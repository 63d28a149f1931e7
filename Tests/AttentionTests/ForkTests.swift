import Foundation
import Locking
import class OpenCLRuntime.OpenCLLibrary
import enum OpenCLRuntime.OpenCLError
import TestSupport
import Testing

@testable import Attention

/// A process that forks after it used a device: the child gets a typed error or the fallback's answer and ends, whatever the driver
/// would do there, and the parent goes on.
@Suite(.serialized, .enabled(if: OwnProcess.isChild, "runs in a process of its own: OwnProcessTests"))
struct ForkTests {
    static let devices = DeviceListing.current().candidates
        .filter { $0.unsuitableReason == nil && [.cpu, .gpu].contains($0.description.kind) }
        .map(\.description.selector)

    /// How the child ends.
    enum Ending: CaseIterable {
        /// With all that libraries do at the end.
        case exit
        case underscoreExit
    }

    /// What the child does with the parent's device, and what it says if that is not as it should be.
    enum Use: CaseIterable {
        case callWithFallback, callWithout, newKindOfCall, plan, newMemory, upload, download, release, anotherDevice
    }

    private static let forked = "the process was forked after this device was opened"

    private func device(_ selector: String) throws -> Device {
        var device = try Device.select(DevicePreference(selector))
        device.logger.logLevel = .critical
        return device
    }

    @Test(.timeLimit(.minutes(2)), arguments: devices, Ending.allCases)
    func theChildIsToldAndEnds(_ selector: String, _ ending: Ending) throws {
        let device = try device(selector)
        let call = try PreparedCall(.fused)
        let inputs = try smallInputs()
        let far = try inputs.query.moved(to: device)
        func isWell() throws -> Bool { try call.isRight(on: device, .never, isFallback: false) }
        #expect(try isWell())
        for use in Use.allCases {
            let status = try Self.fork(ending) {
                switch use {
                case .callWithFallback: return try call.isRight(on: device, .automatic, isFallback: true)
                case .callWithout: return Self.isRefused { try device.attend(inputs, fallback: .never) }
                case .newKindOfCall:
                    let other = try smallInputs(queryLength: 3, mask: .none)
                    return Self.isRefused { try device.attend(other, fallback: .never) }
                case .plan:
                    let shape = AttentionShape(
                        batch: 1, queryHeads: 1, keyValueHeads: 1, queryLength: 40, keyLength: 40, headDimension: 72,
                        valueDimension: 72)
                    let plan = try device.attentionPlan(shape)
                    return plan.fallbacks.first?.reason.contains(Self.forked) == true
                        && Self.isRefused { try device.attentionPlan(shape, fallback: .never) }
                case .newMemory: return Self.isRefused { try inputs.key.moved(to: device) }
                case .upload: return Self.isRefused { try far.writeBytes(of: inputs.query) }
                case .download: return Self.isRefused { try far.onHost() }
                case .release:
                    device.releaseMemory()
                    return true
                case .anotherDevice:
                    // The loader is the parent's too: there is none but the reference.
                    let other = try Device.select(.automatic)
                    return try other.description.kind != .gpu && other.description.kind != .cpu
                        && call.isRight(on: other, .automatic, isFallback: false)
                }
            }
            #expect(status == 0, "\(use), \(ending) on \(selector): \(Self.meaning(status))")
            #expect(try isWell(), "the parent after \(use)")
        }
    }

    /// The loader says it without any driver.
    @Test(.timeLimit(.minutes(2))) func aLibraryIsUsedAfterAFork() throws {
        let library = try OpenCLLibrary.open(path: "libc.so.6")
        let parent = getpid()
        let status = try Self.fork(.underscoreExit) {
            do {
                _ = try library.platforms()
                return false
            } catch OpenCLError.usedAfterFork(let opener, let caller) {
                return opener == parent && caller == getpid()
            }
        }
        #expect(status == 0, "\(Self.meaning(status))")
    }

    /// What another thread held at the fork is held for ever; a value of each process's own is not waited for.
    @Test(.timeLimit(.minutes(2))) func aChildHasStateOfItsOwn() throws {
        let state = PerProcess { Guarded(0) }
        state.value.withLock { $0 = 7 }
        let (held, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        Thread {
            state.value.withLock { _ in
                held.signal()
                done.wait()
            }
        }.start()
        held.wait()
        let status = try Self.fork(.underscoreExit) {
            let first = state.value.withLock { value in
                defer { value = 3 }
                return value
            }
            return first == 0 && state.value.withLock { $0 } == 3
        }
        done.signal()
        #expect(status == 0, "\(Self.meaning(status))")
        #expect(state.value.withLock { $0 } == 7)
    }

    /// A fork while other threads call, build and release: what they held at that moment is held for ever in the child.
    @Test(.timeLimit(.minutes(2)), arguments: devices)
    func aForkInTheMiddleOfCalls(_ selector: String) throws {
        let device = try device(selector)
        let call = try PreparedCall(.fused)
        #expect(try call.isRight(on: device, .never, isFallback: false))
        let (stop, group) = (RunControl(), DispatchGroup())
        for _ in 0..<2 {
            group.enter()
            Thread {
                while (try? stop.check()) != nil { _ = try? call.isRight(on: device, .never, isFallback: false) }
                group.leave()
            }.start()
        }
        for round in 0..<20 {
            let status = try Self.fork(.underscoreExit) { try call.isRight(on: device, .automatic, isFallback: true) }
            #expect(status == 0, "round \(round): \(Self.meaning(status))")
        }
        stop.cancel()
        group.wait()
        #expect(try call.isRight(on: device, .never, isFallback: false))
    }

    /// A fork while a thread of the parent builds the program that the child asks for.
    @Test(.timeLimit(.minutes(2)), arguments: devices)
    func aForkDuringABuild(_ selector: String) throws {
        let device = try device(selector)
        for headDimension in [40, 72, 104, 136] {
            let inputs = try smallInputs(queryLength: 40, headDimension: headDimension)
            let group = DispatchGroup()
            group.enter()
            Thread {
                _ = try? device.attend(inputs)
                group.leave()
            }.start()
            usleep(5000)
            let status = try Self.fork(.underscoreExit) { try device.attend(inputs).fallbacks.count == 1 }
            #expect(status == 0, "head dimension \(headDimension): \(Self.meaning(status))")
            group.wait()
            #expect(try device.attend(inputs).fallbacks.isEmpty)
        }
    }

    private static func isRefused<Value>(_ body: () throws -> Value) -> Bool {
        do {
            _ = try body()
            return false
        } catch AttentionError.deviceFailed(_, let detail) {
            return detail.contains(forked)
        } catch {
            return false
        }
    }

    /// Runs `body` in a forked child and gives the child's status: 0 if it gave true; nil if it had not ended after 5 s.
    private static func fork(_ ending: Ending, _ body: () throws -> Bool) throws -> Int32? {
        // Swift hides fork; code in C that forks does not ask.
        let fork = try #require(OwnProcess.symbol("fork", (@convention(c) () -> pid_t).self))
        let child = fork()
        if child == 0 {
            var status: Int32 = 3
            do { status = try body() ? 0 : 2 } catch {}
            switch ending {
            case .exit: exit(status)
            case .underscoreExit: _exit(status)
            }
        }
        let start = ContinuousClock.now
        var status: Int32 = -1
        while ContinuousClock.now - start < .seconds(5) {
            let found = waitpid(child, &status, WNOHANG)
            if found == child { return status }
            usleep(2000)
        }
        kill(child, SIGKILL)
        waitpid(child, &status, 0)
        return nil
    }

    private static func meaning(_ status: Int32?) -> String {
        switch status {
        case nil: "it hung"
        case (2 << 8)?: "it did not say what it should"
        case (3 << 8)?: "it threw what it should not"
        case let other?: "wait status \(other)"
        }
    }
}

extension PreparedCall {
    /// Whether the call's result is right, and whether it came by way of a fallback as expected.
    func isRight(on device: Device, _ fallback: FallbackPolicy, isFallback: Bool) throws -> Bool {
        let result = try run(operands(on: device), on: device, fallback: fallback)
        return try findings(result).isEmpty && result.fallbacks.isEmpty != isFallback
    }
}
