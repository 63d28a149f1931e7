#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads what another process writes, for no longer than it is worth waiting for.
enum SelfTestPipe {
    enum Found {
        case bytes([UInt8])
        /// Nobody will write any more.
        case end
        case late
    }

    static func read(_ descriptor: Int32, within limit: Duration) -> Found {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let milliseconds = min(max(limit / .milliseconds(1), 1), 60_000)
        let count = systemPoll(&poll, 1, Int32(milliseconds.rounded(.up)))
        guard count > 0 else { return .late }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let length = systemRead(descriptor, &bytes, bytes.count)
        if length < 0 { return errno == EINTR || errno == EAGAIN ? .late : .end }
        return length == 0 ? .end : .bytes(Array(bytes.prefix(length)))
    }
}

private func systemPoll(_ list: UnsafeMutablePointer<pollfd>, _ count: nfds_t, _ limit: Int32) -> Int32 {
    poll(list, count, limit)
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
