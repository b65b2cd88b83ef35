/// How a value of a device profile is known.
public enum Evidence: String, Hashable, Sendable, CaseIterable {
    /// Seen on a device or an emulation of it.
    case measured
    /// Read in the source of the driver or firmware.
    case code
    /// Stated by a document of the vendor or by a report.
    case doc
    /// Computed from other values; the source note has the formula.
    case derived
}

/// Where a value comes from.
public struct Provenance: Hashable, Sendable {
    public var evidence: Evidence
    /// The device and version measured, the document, the file read, or the formula.
    public var source: String

    public init(evidence: Evidence, source: String) {
        self.evidence = evidence
        self.source = source
    }
}

/// A value with its evidence, or the admission that nobody knows. An unknown limit is treated as the worst case.
public enum ProfileValue<Value: Hashable & Sendable>: Hashable, Sendable {
    case known(Value, Provenance)
    case unknown

    public var value: Value? {
        if case .known(let value, _) = self { value } else { nil }
    }

    public var provenance: Provenance? {
        if case .known(_, let provenance) = self { provenance } else { nil }
    }
}

/// A bound that a device may not have. Written as a number, where 0 is "no limit".
public enum Limit: Hashable, Sendable {
    case unlimited
    case atMost(Int)

    public init(_ number: Int) {
        self = number == 0 ? .unlimited : .atMost(number)
    }

    /// True when `amount` is within the bound.
    public func allows(_ amount: Int) -> Bool {
        switch self {
        case .unlimited: true
        case .atMost(let maximum): amount <= maximum
        }
    }
}
