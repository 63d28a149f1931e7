/// Program text with its headers put in place, so that a driver needs no file.
public struct SourceText: Hashable, Sendable {
    public let text: String

    /// Replaces each line `#include "name"` by the header of that name, once each.
    ///
    /// - Throws: ``OpenCLError/missingHeader(_:)`` if there is none of that name.
    public init(_ source: String, headers: [String: String] = [:]) throws(OpenCLError) {
        var included: Set<String> = []
        text = try Self.splice(source, headers, &included)
    }

    private static func splice(
        _ source: String, _ headers: [String: String], _ included: inout Set<String>
    ) throws(OpenCLError) -> String {
        var result = ""
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
            let marker = "#include \""
            if line.hasPrefix(marker), let end = line.dropFirst(marker.count).firstIndex(of: "\"") {
                let name = String(line.dropFirst(marker.count)[..<end])
                if included.insert(name).inserted {
                    guard let header = headers[name] else { throw .missingHeader(name) }
                    result += try splice(header, headers, &included)
                }
            } else {
                result += line
            }
            result += "\n"
        }
        return result
    }
}
