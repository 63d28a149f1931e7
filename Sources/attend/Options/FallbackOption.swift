import ArgumentParser
import Attention

/// `--fallback`: `automatic`, `never`, or a list of devices.
///
/// Stricter than the library, which takes parts of names as well: a mistyped word would be noticed when a device fails, and not before.
struct FallbackOption: ExpressibleByArgument {
    let policy: FallbackPolicy

    init(policy: FallbackPolicy) { self.policy = policy }

    init?(argument: String) {
        guard let policy = FallbackPolicy(argument) else { return nil }
        if case .ordered(let devices) = policy {
            let areAllKinds = devices.allSatisfy { device in
                switch device {
                case .gpu, .cpu, .native, .reference, .openCL, .openCLPart: true
                case .automatic, .named, .group: false
                }
            }
            if !areAllKinds { return nil }
        }
        self.policy = policy
    }

    var defaultValueDescription: String { policy.description }
}
