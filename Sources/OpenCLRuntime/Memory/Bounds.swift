/// Sizes and offsets, checked on the host with every overflow caught: drivers differ in what they refuse.
enum Bounds {
    /// Checks that `count` bytes from `offset` lie within `limit` bytes, and that there are any.
    @inline(__always)
    static func check(
        offset: Int, count: Int, limit: Int, _ operation: @autoclosure () -> String
    ) throws(OpenCLError) {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard offset >= 0, count > 0, !overflow, end <= limit else {
            throw .invalidArgument(
                operation: operation(), reason: "\(count) bytes from \(offset) are not within the \(limit) there are")
        }
    }

    /// What is left of `limit` from `offset` on; not positive where there is nothing, which ``check(offset:count:limit:_:)``
    /// then refuses.
    static func rest(of limit: Int, from offset: Int) -> Int {
        let (count, overflow) = limit.subtractingReportingOverflow(offset)
        return overflow ? 0 : count
    }

    /// The product of sizes, or nil where it does not fit.
    static func product(_ factors: Int...) -> Int? {
        var result = 1
        for factor in factors {
            let (next, overflow) = result.multipliedReportingOverflow(by: factor)
            if overflow { return nil }
            result = next
        }
        return result
    }

    /// The sum of offsets, or nil where it does not fit.
    static func sum(_ terms: Int?...) -> Int? {
        var result = 0
        for term in terms {
            guard let term else { return nil }
            let (next, overflow) = result.addingReportingOverflow(term)
            if overflow { return nil }
            result = next
        }
        return result
    }
}
