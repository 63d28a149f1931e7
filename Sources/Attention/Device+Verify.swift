extension Device {
    /// Runs the whole contract of attention on this device: every edge, option and type, against the reference.
    ///
    /// ```swift
    /// let report = try Device.select().verify()
    /// if !report.passed { print(report) }
    /// ```
    ///
    /// - Parameter progress: called after each case with the cases done and all that there are.
    /// - Throws: ``AttentionError`` if a case cannot be made. What goes wrong on the device is a failure in the report instead.
    /// - Complexity: some 700 calls for `quick`, some thousands for `full`, and a reference evaluation of each.
    public func verify(
        _ options: VerificationOptions = .init(), progress: ((Int, Int) -> Void)? = nil
    ) throws(AttentionError) -> VerificationReport {
        try Verifier.run(backend: backend, options, progress: progress)
    }
}
