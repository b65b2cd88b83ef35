import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import SQLiteStorage

/// Where the database of a test lives.
enum Place: String, CaseIterable, Sendable {
    case memory
    case file

    /// Opens a new database, lends it, and removes what is left of it.
    func withStorage(_ body: (SQLiteStorage) async throws -> Void) async throws {
        switch self {
        case .memory: try await body(SQLiteStorage(inMemoryNamed: "test"))
        case .file: try await withDirectory { try await body(SQLiteStorage(path: $0 + "/signet.sqlite")) }
        }
    }
}

func withDirectory(_ body: (String) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("signet-storage-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }  // what cannot be removed is the system's to clean
    try await body(directory.path)
}

/// A time with milliseconds, the precision of the tables.
let noon = Date(timeIntervalSince1970: 1_069_416_000.125)

func request(_ requester: String = "EXAMPLE\\alice", disposition: Disposition = .active) -> RequestRecord {
    RequestRecord(
        type: .cmc, rawRequest: [0x30, 0x00, 0xff], attributes: "CertificateTemplate:User\nccm:host",
        requesterName: requester, templateName: "User", subject: "CN=alice", submittedWhen: noon,
        resolvedWhen: noon.addingTimeInterval(2), disposition: disposition, statusCode: .noValidKRA,
        dispositionMessage: "Error Archiving Private Key", encryptedKeyHash: [1, 2, 3])
}

func certificate(
    _ requestID: Int64, serial: String, commonName: String? = "alice", caKeyIndex: Int = 0,
    notAfter: Date = noon.addingTimeInterval(86_400), revocation: CertificateRecord.Revocation? = nil
) -> CertificateRecord {
    let mark = UInt8(truncatingIfNeeded: requestID)
    return CertificateRecord(
        requestID: requestID, serialNumber: serial, certificateDER: [0x30, mark],
        sha1Thumbprint: [UInt8](repeating: mark, count: 20), sha256Thumbprint: [UInt8](repeating: mark, count: 32),
        subject: "CN=alice", commonName: commonName, userPrincipalName: "alice@example.test",
        requesterName: "EXAMPLE\\alice", templateName: "User",
        subjectKeyIdentifier: [0xab] + [UInt8](repeating: mark, count: 19), notBefore: noon, notAfter: notAfter,
        caKeyIndex: caKeyIndex, revocation: revocation)
}

func intent(_ number: String, kind: SigningIntent.Kind = .certificate, requestID: Int64? = nil) -> SigningIntent {
    SigningIntent(
        kind: kind, requestID: requestID, number: number, toBeSignedSHA256: [UInt8](repeating: 7, count: 32),
        caKeyIndex: 0, createdWhen: noon)
}

func archivedKey(_ requestID: Int64) -> ArchivedKeyRecord {
    ArchivedKeyRecord(
        requestID: requestID, format: .tokenWrapped, envelopedDataDER: [0x30, 0x80], kraHashes: ["0a 0b", "0c 0d"],
        evidenceJSON: #"{"path":"on-token"}"#, archivedWhen: noon)
}

func locator() throws -> KeyLocator {
    KeyLocator(
        reference: try KeyReference("pkcs11:token=issuing;id=%01;type=private"),
        publicKeySHA256: [UInt8](repeating: 9, count: 32))
}

func event(_ id: AuditEventID = .requestReceived, _ details: [String: String] = ["Request ID": "1"]) -> AuditEvent {
    AuditEvent(id, when: noon, who: "EXAMPLE\\alice", details: details)
}
