import Attention
import AttentionCore
import Foundation
import Locking
import OpenCLRuntime
import TestSupport

@_spi(Testing) @testable import AttentionOpenCL

/// A device with a cache folder of its own.
final class SelfTestBench {
    let folder: String
    let candidate: OpenCLCandidate

    init(_ candidate: OpenCLCandidate) throws {
        self.candidate = candidate
        folder = NSTemporaryDirectory() + "self-test-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var cache: ProgramCache { ProgramCache(folder: folder) }

    /// As a new process would have it.
    func backend(_ examiner: any KernelExaminer, replacing files: [String: String] = [:]) throws -> OpenCLBackend {
        VerdictKeeper.forget()
        return try candidate.makeBackend(replacingSources: files, cache: cache, examiner: examiner)
    }

    var verdicts: [KernelVerdict] { KernelCache(cache: cache).entries().compactMap(\.verdict) }

    /// The files of one kind.
    func files(_ suffix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(suffix) }.sorted()
            .map { folder + "/" + $0 }
    }
}

/// Says what it is told to say, and counts.
final class ScriptedExaminer: KernelExaminer {
    private let asked = Guarded<[String]>([])
    private let answer: @Sendable (KernelTrial) -> KernelTrial.Outcome

    init(_ answer: @escaping @Sendable (KernelTrial) -> KernelTrial.Outcome) { self.answer = answer }

    /// The kernels that it was asked about, in order.
    var kernels: [String] { asked.withLock { $0 } }

    func examine(_ trial: KernelTrial) -> KernelTrial.Outcome {
        asked.withLock { $0.append(trial.policy.kernel ?? "") }
        return answer(trial)
    }
}
