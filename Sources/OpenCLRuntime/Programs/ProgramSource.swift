/// The complete text of a program: OpenCL C with its headers spliced in, and the digest that stands for it.
///
/// Make it once and keep it: splicing and hashing take time, comparing two digests does not.
public struct ProgramSource: Sendable {
    /// Names the program in errors.
    public let name: String
    /// The text the driver gets.
    public let text: String
    /// SHA-256 of `text`.
    public let digest: SHA256Digest

    /// Splices headers into `source`, each once, where it is first included.
    ///
    /// A line `#include "name"` outside of a comment stands for the header of that name; headers may include headers.
    /// Whether it stands in an `#if` is not looked at, so include where it always counts. Nothing is read from a disk.
    ///
    /// - Parameters:
    ///   - name: Names the program in errors; also in the driver's log, by `#line`.
    ///   - source: OpenCL C.
    ///   - headers: Text by name.
    ///   - lineMarkers: Writes `#line` directives, so that the driver's log counts lines file by file.
    /// - Throws: ``OpenCLError/missingHeader(name:includedBy:)``, or ``OpenCLError/invalidArgument(operation:reason:)`` for
    ///   an `#include` in any other form.
    public init(
        name: String, source: String, headers: [String: String] = [:], lineMarkers: Bool = true
    ) throws(OpenCLError) {
        var splicer = Splicer(headers: headers, lineMarkers: lineMarkers)
        try splicer.add(source, named: name)
        self.name = name
        text = splicer.output
        digest = SHA256.digest(of: splicer.output)
    }
}

extension ProgramSource: Hashable {
    public static func == (left: ProgramSource, right: ProgramSource) -> Bool { left.digest == right.digest }
    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// Writes sources out line by line and headers in the place of their first include.
private struct Splicer {
    let headers: [String: String]
    let lineMarkers: Bool
    var output = ""
    private var included: Set<String> = []

    init(headers: [String: String], lineMarkers: Bool) {
        self.headers = headers
        self.lineMarkers = lineMarkers
    }

    mutating func add(_ source: String, named name: String) throws(OpenCLError) {
        mark(line: 1, of: name)
        var isInComment = false
        var number = 0
        for line in source.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            if !isInComment, let request = Self.includeRequest(line) {
                guard let header = Self.quotedName(request) else {
                    throw .invalidArgument(
                        operation: "splicing \(name)", reason: "line \(number) includes no \"name\" in quotes")
                }
                if included.insert(header).inserted {
                    guard let text = headers[header] else { throw .missingHeader(name: header, includedBy: name) }
                    try add(text, named: header)
                    mark(line: number + 1, of: name)
                } else {
                    output += "\n"
                }
                continue
            }
            isInComment = Self.endsInComment(line, from: isInComment)
            output += Substring(line)
            output += "\n"
        }
    }

    private mutating func mark(line: Int, of name: String) {
        // A name with a quote or a backslash would end the directive: leave it out.
        guard lineMarkers, !name.utf8.contains(where: { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 }) else { return }
        output += "#line \(line) \"\(name)\"\n"
    }

    /// What follows `#include` on the line, or nil for any other line.
    private static func includeRequest(_ line: Substring.UTF8View) -> Substring.UTF8View? {
        var rest = trimmed(line)
        guard rest.first == 0x23 else { return nil }
        rest = trimmed(rest.dropFirst())
        let word = "include".utf8
        guard rest.starts(with: word) else { return nil }
        return trimmed(rest.dropFirst(word.count))
    }

    private static func quotedName(_ request: Substring.UTF8View) -> String? {
        guard request.first == 0x22 else { return nil }
        let name = request.dropFirst().prefix { $0 != 0x22 }
        guard !name.isEmpty, name.endIndex < request.endIndex else { return nil }
        return String(Substring(name))
    }

    private static func trimmed(_ line: Substring.UTF8View) -> Substring.UTF8View {
        line.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    }

    /// Whether a block comment is open after the line.
    private static func endsInComment(_ line: Substring.UTF8View, from start: Bool) -> Bool {
        var isOpen = start
        var previous: UInt8 = 0
        for byte in line {
            switch (isOpen, previous, byte) {
            case (false, 0x2F, 0x2F): return false
            case (false, 0x2F, 0x2A), (true, 0x2A, 0x2F):
                isOpen.toggle()
                previous = 0
            default: previous = byte
            }
        }
        return isOpen
    }
}
