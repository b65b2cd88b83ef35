import CertificateAuthority
import Diagnostics

/// The tables of the request database as their schema names them (MS-CSRA, section 3.1.1.1).
struct DatabaseTable: Sendable {
    struct Column: Sendable {
        let name: String
        let heading: String
        /// Long, Date, String or Binary.
        let type: String
        /// The largest size in bytes, and whether rows are found by it.
        let size: String
    }

    let columns: [Column]

    static func named(_ name: String?) throws -> DatabaseTable {
        switch name?.lowercased() {
        case nil: return DatabaseTable(columns: requests)
        case "attrib": return DatabaseTable(columns: attributes)
        case "crl": return DatabaseTable(columns: lists)
        case "ext":
            throw WindowsUsageError(
                "The database has no table of extensions", advice: "They are in the certificate: certutil -dump FILE.")
        case let name?: throw WindowsUsageError("There is no table \"\(name)\"")
        }
    }

    private static let requests: [Column] = {
        let names = RequestColumn.all.map(\.name)
        let end = names.firstIndex(of: "RawCertificate") ?? names.endIndex
        return RequestColumn.all.enumerated().map { index, column in
            let type = DatabaseTable.types[column.name] ?? ValueType.string(8192)
            return Column(
                name: (index < end ? "Request." : "") + column.name, heading: column.heading, type: type.name,
                size: type.size + (DatabaseTable.indexed.contains(column.name) ? " -- Indexed" : ""))
        }
    }()

    private static let attributes = [
        Column(name: "RequestID", heading: "Attribute Request ID", type: "Long", size: "4 -- Indexed"),
        Column(name: "RequestAttributes", heading: "Request Attributes", type: "String", size: "32768"),
    ]

    private static let lists = [
        Column(name: "CRLNumber", heading: "CRL Number", type: "Long", size: "8 -- Indexed"),
        Column(name: "CRLMinBase", heading: "CRL Base Number", type: "Long", size: "8"),
        Column(name: "CRLNameId", heading: "CRL Key Index", type: "Long", size: "4"),
        Column(name: "CRLThisUpdate", heading: "CRL This Update", type: "Date", size: "8"),
        Column(name: "CRLNextUpdate", heading: "CRL Next Update", type: "Date", size: "8"),
        Column(name: "CRLRawCRL", heading: "CRL Raw CRL", type: "Binary", size: "268435456"),
    ]

    private enum ValueType: Sendable {
        case long, date, string(Int), binary(Int)

        var name: String {
            switch self {
            case .long: "Long"
            case .date: "Date"
            case .string: "String"
            case .binary: "Binary"
            }
        }

        var size: String {
            switch self {
            case .long: "4"
            case .date: "8"
            case .string(let bytes), .binary(let bytes): "\(bytes)"
            }
        }
    }

    private static let indexed: Set<String> = [
        "RequestID", "Disposition", "SubmittedWhen", "RequesterName", "CertificateTemplate", "SerialNumber", "NotAfter",
    ]

    private static let types: [String: ValueType] = [
        "RequestID": .long, "RawRequest": .binary(65536), "RawArchivedKey": .binary(65536),
        "KeyRecoveryHashes": .string(8192), "RawOldCertificate": .binary(16384),
        "RequestAttributes": .string(32768), "RequestType": .long, "RequestFlags": .long, "StatusCode": .long,
        "Disposition": .long, "DispositionMessage": .string(8192), "SubmittedWhen": .date, "ResolvedWhen": .date,
        "RevokedWhen": .date, "RevokedEffectiveWhen": .date, "RevokedReason": .long, "RequesterName": .string(2048),
        "CallerName": .string(2048), "SignerPolicies": .string(8192), "SignerApplicationPolicies": .string(8192),
        "Officer": .string(2048), "DistinguishedName": .string(8192), "RawName": .binary(4096),
        "RawCertificate": .binary(16384), "CertificateHash": .string(128), "CertificateTemplate": .string(254),
        "SerialNumber": .string(128), "IssuerNameID": .long, "NotBefore": .date, "NotAfter": .date,
        "SubjectKeyIdentifier": .string(128), "RawPublicKey": .binary(4096), "PublicKeyLength": .long,
        "PublicKeyAlgorithm": .string(254), "UPN": .string(2048),
    ]

    /// Columns under their headings, with a ruler below each.
    static func lines(_ headings: [String], _ rows: [[String]]) -> [String] {
        let widths = headings.indices.map { column in ([headings] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            zip(cells, widths).enumerated().map { index, cell in
                index == cells.count - 1
                    ? cell.0 : cell.0 + String(repeating: " ", count: cell.1 - cell.0.count)
            }.joined(separator: "  ")
        }
        return [line(headings), line(widths.map { String(repeating: "-", count: $0) })] + rows.map(line)
    }
}
