import Foundation

/// A policy file with the bytes it was read from: an instance keeps a copy, which its renewals read again.
package struct AuthorityPolicyFile: Sendable {
    package let policy: AuthorityPolicy
    private let bytes: [UInt8]
    private let isInformationFile: Bool

    /// - Throws: ``ServiceError``.
    package init(path: String) throws {
        self.bytes = try FilePaths.read(path, limit: InformationFile.maximumBytes)
        self.isInformationFile = AuthorityPolicy.isInformationFile(self.bytes, file: path)
        self.policy = try AuthorityPolicy(bytes: self.bytes, file: path)
    }

    /// The copy of an instance, `nil` when it was made without one.
    static func load(from layout: InstanceLayout) throws -> AuthorityPolicyFile? {
        let path = layout.policyPaths.first { FilePaths.exists($0) }
        return try path.map { try AuthorityPolicyFile(path: $0) }
    }

    func store(in layout: InstanceLayout) throws {
        let path = layout.policyPaths[self.isInformationFile ? 0 : 1]
        try FilePaths.create(path, with: self.bytes, mode: 0o644)
    }
}

extension Instance {
    /// What its copy of the policy file says; `nil` without one.
    package func authorityPolicy() throws -> AuthorityPolicy? {
        try AuthorityPolicyFile.load(from: self.layout)?.policy
    }
}

extension InstanceLayout {
    /// `CAPolicy.inf` as Windows names it, or the same in YAML; one of them, or none.
    fileprivate var policyPaths: [String] { [self.directory + "/CAPolicy.inf", self.directory + "/ca-policy.yaml"] }
}

extension InstanceConfiguration {
    /// Takes over what a policy file says of CRLs. What it cannot express is refused: a period that is silently another
    /// would be found out by relying parties.
    package mutating func apply(_ policy: AuthorityPolicy) throws {
        if let period = policy.crlPeriod {
            let days = period.seconds / 86_400
            guard (1...366).contains(days) else {
                throw ServiceError.invalid("the CA policy", "CRLPeriod", "1 to 366 days are expected")
            }
            self.crl.periodDays = Int(days.rounded())
        }
        if let period = policy.crlDeltaPeriod, period.count > 0 {
            let hours = period.seconds / 3_600
            guard hours >= 1, hours < Double(self.crl.periodDays) * 24 else {
                throw ServiceError.invalid(
                    "the CA policy", "CRLDeltaPeriod", "an hour or more, and less than CRLPeriod, is expected")
            }
            self.crl.deltaPeriodHours = Int(hours.rounded())
        }
        if let digest = policy.hashAlgorithm { self.hashAlgorithm = digest }
        if let minutes = policy.clockSkewMinutes { self.crl.clockSkewMinutes = minutes }
        if let validity = policy.renewalValidity, self.type == .root {
            // What a root issues can last as long as itself.
            self.certificates.maximumValidityDays = min(
                self.certificates.maximumValidityDays, Int(validity.seconds / 86_400))
        }
    }
}
