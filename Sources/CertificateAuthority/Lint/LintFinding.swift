/// One thing that is wrong, or strange, with a certificate about to be signed.
package struct LintFinding: Sendable, Equatable, Codable {
    package enum Severity: String, Sendable, Codable, CaseIterable {
        /// The certificate is not signed.
        case error
        /// The certificate is signed, and the finding is stored with its request.
        case warning
    }

    /// Whose doing it is: what decides whether the request was denied or the CA failed.
    package enum Source: String, Sendable, Codable, CaseIterable {
        /// RFC 5280 and its relatives, in what this CA wrote.
        case conformity
        /// The bytes are not what policy decided.
        case template
        /// The public key.
        case key
        /// The subject, the alternative names, or extensions that the request brought.
        case request
        /// The constraints of the certificates above.
        case chain
    }

    /// Stable, such as `rsa-exponent-too-small`.
    package var id: String
    package var severity: Severity
    /// A sentence without its full stop.
    package var text: String
    package var source: Source

    package init(_ id: String, _ severity: Severity = .error, _ source: Source, _ text: String) {
        self.id = id
        self.severity = severity
        self.text = text
        self.source = source
    }
}

/// What the linter holds keys and names to.
package struct LintSettings: Sendable, Equatable {
    /// The smallest RSA public exponent. Windows clients of 2003 use 65537, as does everybody.
    package var minimumRSAExponent: UInt64
    /// How far to look for close primes; 0 does not.
    package var closePrimeRounds: Int
    /// Findings that are stored and do not stop issuance, by their identifiers.
    package var tolerated: Set<String>

    package init(
        minimumRSAExponent: UInt64 = 65537, closePrimeRounds: Int = 100, tolerated: Set<String> = []
    ) {
        self.minimumRSAExponent = minimumRSAExponent
        self.closePrimeRounds = closePrimeRounds
        self.tolerated = tolerated
    }
}
