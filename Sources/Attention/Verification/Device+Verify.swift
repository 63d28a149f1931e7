import AttentionCore

extension Device {
    /// Runs the whole contract of attention on this device: on the user's own driver, every kernel, edge and type.
    ///
    /// ```swift
    /// let report = try Device.select(.gpu).verify()
    /// precondition(report.passed, "\(report)")
    /// ```
    /// Results are held to a Double reference, within bounds that follow from the arithmetic. A report names each failure by an id;
    /// with the report's seed and that id as the filter, the one case runs again.
    ///
    /// - Parameters:
    ///   - options: how many cases, from which seed, and which of them.
    ///   - progress: called after each case with the cases done and all that there are.
    /// - Throws: `AttentionError` if a case cannot be made, for want of memory. What fails on the device is in the report instead.
    /// - Complexity: about 1,150 calls for ``VerificationOptions/Cases/quick``, about 6,300 for ``VerificationOptions/Cases/full``,
    ///   many with a second call to compare bits with, and a reference evaluation each.
    public func verify(
        _ options: VerificationOptions = .init(), progress: ((Int, Int) -> Void)? = nil
    ) throws(AttentionError) -> VerificationReport {
        let report = try Verifier.run(backend: backend, options, progress: progress)
        if report.failed > 0 {
            logger.warning(
                "verification failed",
                metadata: ["device": "\(report.device)", "failed": "\(report.failed)", "seed": "\(report.seed)"])
        }
        return report
    }
}
