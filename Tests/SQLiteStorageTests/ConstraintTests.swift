import CertificateAuthority
import Diagnostics
import Foundation
import SQLiteStorage
import Testing

extension StorageError {
    /// Equality is on the code only, so one of each is enough to compare with.
    static func expected(_ code: Code) -> StorageError {
        StorageError(code: code, operation: "", reason: "", hresult: .fail, advice: [])
    }

    static let notFoundForTests = StorageError.expected(.notFound)
}

@Suite("What must be unique or must exist is enforced by the tables")
struct ConstraintTests {
    /// One write that breaks a rule, after one request and one of everything is stored.
    struct Violation: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: StorageError.Code
        let write: @Sendable (any StorageWriting) throws -> Void
    }

    static let violations = [
        Violation(testDescription: "a serial number twice", code: .duplicate) {
            _ = try $0.insert(request())
            try $0.insert(certificate(2, serial: "61AA"))
        },
        Violation(testDescription: "two certificates for one request", code: .duplicate) {
            try $0.insert(certificate(1, serial: "61AB"))
        },
        Violation(testDescription: "an intent's number twice, though the first is closed", code: .duplicate) {
            _ = try $0.insert(intent("61AA"))
        },
        Violation(testDescription: "a CRL number twice", code: .duplicate) {
            try $0.insert(CRLRecord(number: 1, caKeyIndex: 1, thisUpdate: noon, nextUpdate: noon, crlDER: []))
        },
        Violation(testDescription: "an archived key twice", code: .duplicate) { try $0.insert(archivedKey(1)) },
        Violation(testDescription: "a recovery agent twice", code: .duplicate) {
            try $0.insert(KRARecord(sha1Thumbprint: [1], certificateDER: [2], addedWhen: noon))
        },
        Violation(testDescription: "a certificate of no request", code: .notFound) {
            try $0.insert(certificate(99, serial: "61AC"))
        },
        Violation(testDescription: "an update of no request", code: .notFound) { try $0.update(request()) },
        Violation(testDescription: "the revocation of no certificate", code: .notFound) {
            try $0.setRevocation(nil, serialNumber: "00")
        },
        Violation(testDescription: "a CRL number beyond 63 bits", code: .failed) {
            try $0.insert(CRLRecord(number: .max, caKeyIndex: 0, thisUpdate: noon, nextUpdate: noon, crlDER: []))
        },
    ]

    @Test("A write that breaks a rule is refused with its code and leaves nothing", arguments: violations)
    func refused(_ violation: Violation) async throws {
        try await Place.memory.withStorage { storage in
            try await storage.write { writer in
                _ = try writer.insert(request())
                try writer.insert(certificate(1, serial: "61AA"))
                let number = try writer.insert(intent("61AA"))
                try writer.closeIntent(number, outcome: .interrupted, at: noon)
                try writer.insert(CRLRecord(number: 1, caKeyIndex: 0, thisUpdate: noon, nextUpdate: noon, crlDER: []))
                try writer.insert(archivedKey(1))
                try writer.insert(KRARecord(sha1Thumbprint: [1], certificateDER: [2], addedWhen: noon))
            }
            await #expect(throws: StorageError.expected(violation.code)) {
                try await storage.write { writer in
                    try writer.append(event())
                    try violation.write(writer)
                }
            }
            try await #expect(storage.read { try $0.auditHead() } == nil)
            try await #expect(storage.read { try $0.requests(with: nil, limit: 9) }.count == 1)
        }
    }

    @Test("An error says which code SQLite gave and nothing of what was stored")
    func noArguments() async throws {
        try await Place.memory.withStorage { storage in
            let secret = KRARecord(
                sha1Thumbprint: Array("thumbprint-argument".utf8), certificateDER: [], addedWhen: noon)
            let error = await #expect(throws: StorageError.self) {
                try await storage.write { writer in
                    try writer.insert(secret)
                    try writer.insert(secret)
                }
            }
            let text = try #require(error.map { ErrorReport($0).lines.joined(separator: "\n") })
            #expect(text.contains("2067"))
            #expect(!text.contains("thumbprint-argument"))
            #expect(!text.contains("INSERT"))
            #expect(text.contains("hint: "))
        }
    }
}
