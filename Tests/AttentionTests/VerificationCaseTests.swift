import AttentionCore
import Testing

@testable import Attention

/// What a run is made of: sizes, reproducibility, coverage, and that every case can be made.
@Suite struct VerificationCaseTests {
    @Test func quickIsSomeHundredCasesOfFewTypes() {
        let specs = CaseList.specs(.quick, seed: 1)
        #expect((500...1200).contains(specs.count), "\(specs.count)")
        let types = Set(specs.filter { $0.group != .types }.map { [$0.queryType, $0.valueType, $0.maskType] })
        #expect(types.count <= 18, "\(types.count)")
        #expect(Set(specs.map(\.id)).count == specs.count)
        print("quick: \(specs.count) cases, \(specs.reduce(0) { $0 + $1.cost } / 1_000_000) M multiply-adds")
    }

    @Test func fullIsThousandsOfCases() {
        let specs = CaseList.specs(.full, seed: 1)
        #expect(specs.count >= 5000, "\(specs.count)")
        #expect(Set(specs.map(\.id)).count == specs.count)
        let groups = Dictionary(grouping: specs, by: \.group).mapValues(\.count)
        print("full: \(specs.count) cases, \(specs.reduce(0) { $0 + $1.cost } / 1_000_000) M multiply-adds, \(groups)")
    }

    @Test(arguments: [UInt64(1), 2, 77])
    func everyQuickCaseCanBeMade(seed: UInt64) throws {
        for spec in CaseList.specs(.quick, seed: seed) where spec.cost < 1_000_000 {
            var builder = CaseBuilder(spec, seed: seed)
            do {
                _ = try builder.build()
            } catch {
                Issue.record("\(spec): \(error)")
            }
        }
    }

    @Test func everyPairOfOptionsMeets() {
        let pairs = CaseList.pairwise(.quick).coverage(of: CaseList.specs(.quick, seed: 3))
        #expect(pairs.covered == pairs.possible, "\(pairs.missing.prefix(20))")
    }

    @Test func numbersFollowFromIdAndSeedAlone() throws {
        let specs = CaseList.specs(.quick, seed: 5)
        #expect(specs == CaseList.specs(.quick, seed: 5))
        for spec in specs.prefix(400) where spec.cost < 100_000 {
            func bytes(_ seed: UInt64) throws -> [[UInt8]] {
                var builder = CaseBuilder(spec, seed: seed)
                return try builder.build().arenas.map(\.before)
            }
            let first = try bytes(5)
            #expect(try bytes(5) == first)
            if spec.cost > 1000, spec.batch > 0 { #expect(try bytes(6) != first) }
        }
    }
}
