import AttentionCore
import HostKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Instructions that the kernels are compiled for.
public enum InstructionSet: String, Hashable, Sendable, CaseIterable {
    /// AVX-512, of the x86-64-v4 level.
    case v4
    /// AVX2, FMA and F16C, of the x86-64-v3 level.
    case v3
    /// What every processor of the architecture has: SSE2 on x86-64, NEON on arm64.
    case baseline

    /// Forces one by its name, as `attend --isa` does; the option wins.
    public static let variable = "ATTEND_ISA"

    /// Those that this processor has, widest first.
    public static let available: [InstructionSet] = (0..<host_kernels_count()).compactMap {
        InstructionSet(rawValue: String(cString: host_kernels_set($0).pointee.name))
    }

    /// `wanted`, or the one that ``variable`` names, or the widest.
    ///
    /// - Throws: ``AttentionError/noDevice(requested:reason:)`` if this processor lacks it.
    static func chosen(_ wanted: InstructionSet?) throws(AttentionError) -> InstructionSet {
        let here = available.map(\.rawValue).joined(separator: ", ")
        var named = wanted
        if named == nil, let text = getenv(variable).map({ String(cString: $0) }), !text.isEmpty {
            named = InstructionSet(rawValue: text)
            guard named != nil else {
                throw .noDevice(requested: "native", reason: "\(variable) is '\(text)'; this processor has \(here)")
            }
        }
        guard let named else { return available[0] }
        guard available.contains(named) else {
            throw .noDevice(requested: "native", reason: "this processor has no \(named.rawValue), it has \(here)")
        }
        return named
    }

    /// Its kernels.
    var kernels: UnsafePointer<host_instruction_set> {
        host_kernels_set(Int32(Self.available.firstIndex(of: self) ?? 0))
    }
}
