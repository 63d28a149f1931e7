import Foundation

/// What lies on disk beside the programs, as JSON.
protocol KeptRecord: Codable {}

extension KeptRecord {
    /// - Returns: `nil` for what is none.
    init?(_ payload: [UInt8]) {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        guard let record = try? decoder.decode(Self.self, from: Data(payload)) else { return nil }
        self = record
    }

    var payload: [UInt8] {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(self)).map { Array($0) } ?? []
    }
}
