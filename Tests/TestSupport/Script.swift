import Foundation

/// A shell script that stands in for a program.
public enum Script {
    /// Writes one that can be started by the time this returns.
    ///
    /// - Parameters:
    ///   - line: What it does.
    ///   - variable: It does nothing unless this is in its environment.
    public static func write(_ line: String, if variable: String, to path: String) throws {
        try "#!/bin/sh\n[ -n \"$\(variable)\" ] || exit 0\n\(line)\n"
            .write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o700)
        // A process that another test starts right now may hold it open for writing until it is on its way.
        for _ in 0..<100 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: path)
            if (try? process.run()) != nil { return process.waitUntilExit() }
            usleep(10_000)
        }
    }
}
