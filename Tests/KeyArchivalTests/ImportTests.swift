import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import SecretMemory
import TestSupport
import Testing
import X509

@testable import KeyArchival

@Suite("Importing keys")
struct ImportTests {
    private static let manager = Principal(name: "EXAMPLE\\manager", roles: [.certificateManager])
    private static let administrator = Principal(name: "EXAMPLE\\admin", roles: [.administrator])

    private func importer(
        _ site: ArchivingSite, _ settings: KeyImporter.Settings = .init()
    ) throws -> KeyImporter {
        let exchange = site.exchangeForImport
        return KeyImporter(
            storage: site.authority.storage, archiver: try site.authority.archiver(site.token.keys),
            settings: settings, surroundings: site.authority.surroundings
        ) { exchange }
    }

    private func entry(_ key: TestKey, _ certificate: CertificateFields) -> PKCS12.Entry {
        PKCS12.Entry(privateKey: key.privateKey, certificate: certificate.derBytes, friendlyName: nil)
    }

    @Test(
        "A key of this CA is archived once, openable by the agent, with its origin in the evidence and event 798",
        arguments: [SoftwareToken.Kind.softHSM, .nss])
    func ownCertificate(_ kind: SoftwareToken.Kind) async throws {
        try await ArchivingSite.with(kind) { site in
            let issued = try await site.authority.issue("alice", to: TestKey.user.publicKey)
            let importer = try self.importer(site)
            let entry = self.entry(try TestKey.user, issued.certificate)
            let first = try await importer.importKey(entry, by: Self.manager)
            #expect(first == .init(requestID: issued.requestID, key: .archived))
            let again = try await importer.importKey(entry, by: Self.manager)
            #expect(again == .init(requestID: issued.requestID, key: .wasArchived))
            let stored = try #require(
                await site.authority.storage.read { try $0.archivedKey(forRequest: issued.requestID) })
            let opened = try site.open(
                ArchivedKeyDraft(
                    format: stored.format, envelopedDataDER: stored.envelopedDataDER, kraHashes: [], evidenceJSON: ""),
                agent: 0)
            try #expect(opened.derBytes.matches(TestKey.user.privateKey))
            let evidence = try ArchivalEvidence(json: stored.evidenceJSON)
            #expect(evidence.path == .onToken)
            #expect(
                evidence.imported == .init(source: .pkcs12, by: "EXAMPLE\\manager", when: "2026-01-01T12:00:00Z"))
            #expect(evidence.wasInHostMemory)
            #expect(evidence.envelopedDataSHA256 == Hexadecimal.lower(Digest.sha256.hash(stored.envelopedDataDER)))
            let head = try await site.authority.storage.read { try $0.auditHead() }
            #expect(head?.event.id == .keyImportedAndArchived)
            #expect(head?.event.details["Request ID"] == "\(issued.requestID)")
            #expect(
                head?.event.details["Evidence SHA-256"]
                    == Hexadecimal.lower(Digest.sha256.hash(Array(stored.evidenceJSON.utf8))))
        }
    }

    @Test(
        "Of several files with one certificate that are imported at the same time one is archived",
        arguments: [false, true])
    func sideBySide(isForeign: Bool) async throws {
        try await ArchivingSite.with { site in
            let issuer = isForeign ? try await TestAuthority(name: "Other CA") : site.authority
            // Numbers of the two CAs must not meet.
            for _ in 0..<5 { _ = try await issuer.issue("nobody", to: TestKey.other.publicKey) }
            let certificate = try await issuer.issue("alice", to: TestKey.user.publicKey).certificate
            let importer = try self.importer(site, .init(allowsForeign: isForeign, isForced: isForeign))
            let entry = self.entry(try TestKey.user, certificate)
            let outcomes = try await withThrowingTaskGroup(of: KeyImporter.Outcome.self) { group in
                for _ in 0..<3 { group.addTask { try await importer.importKey(entry, by: Self.manager) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0.key == .archived } == 1)
            #expect(outcomes.count { $0.key == .wasArchived } == 2)
            #expect(Set(outcomes.map(\.requestID)).count == 1)
            #expect(outcomes.count { $0.importedForeign } == (isForeign ? 1 : 0))
        }
    }

    @Test("A certificate of another CA needs the setting and the word of the caller: 0x800B0107 else")
    func foreign() async throws {
        try await ArchivingSite.with { site in
            let other = try await TestAuthority(name: "Other CA")
            // Numbers of the two CAs must not meet.
            for _ in 0..<5 { _ = try await other.issue("nobody", to: TestKey.other.publicKey) }
            let foreign = try await other.issue("bob", to: TestKey.user.publicKey).certificate
            let entry = self.entry(try TestKey.user, foreign)
            for (allowed, forced) in [(false, false), (true, false), (false, true)] {
                let error = await #expect(throws: ArchivalError.self) {
                    try await self.importer(site, .init(allowsForeign: allowed, isForced: forced))
                        .importKey(entry, by: Self.manager)
                }
                #expect(error?.hresult.rawValue == 0x800B_0107)
            }
            let outcome = try await self.importer(site, .init(allowsForeign: true, isForced: true))
                .importKey(entry, by: Self.manager)
            #expect(outcome.importedForeign && outcome.key == .archived)
            let (row, certificate) = try await site.authority.storage.read { db in
                (try db.request(outcome.requestID), try db.certificate(forRequest: outcome.requestID))
            }
            #expect(row?.disposition.rawValue == 12)
            #expect(certificate?.caKeyIndex == CertificateRecord.foreignKeyIndex)
            try await #expect(
                KeyFinder(storage: site.authority.storage).certificate(matching: "bob").requestID == outcome.requestID)
            let blob = try await site.authority.recoveryBlobs.recoveryBlob(
                forRequest: outcome.requestID, by: Self.manager)
            try #expect(
                KeyRecovery(blobDER: blob, trusting: [site.authority.certificate]).certificate.derBytes
                    == foreign.derBytes)
        }
    }

    @Test("A key of another certificate is not archived, nor one for signatures, nor by somebody without the role")
    func refused() async throws {
        try await ArchivingSite.with { site in
            let issued = try await site.authority.issue("alice", to: TestKey.user.publicKey)
            let importer = try self.importer(site)
            let wrong = await #expect(throws: ArchivalError.self) {
                try await importer.importKey(self.entry(TestKey.other, issued.certificate), by: Self.manager)
            }
            #expect(wrong?.code == .keyMismatch)
            let signing = try await site.authority.issue(
                "signer", to: TestKey.user.publicKey,
                extensions: [ExtensionEncoding.keyUsage(.init(digitalSignature: true))])
            let ignored = try await importer.importKey(
                self.entry(TestKey.user, signing.certificate), by: Self.manager)
            #expect(ignored.key == .ignoredSignature)
            let denied = await #expect(throws: RequestError.self) {
                try await importer.importKey(self.entry(TestKey.user, issued.certificate), by: Self.administrator)
            }
            #expect(denied?.hresult == .accessDenied)
            try await #expect(site.authority.storage.read { try $0.archivedKeyCount() } == 0)
        }
    }

    @Test("Where keys must not be in host memory, a PKCS #12 file is refused and a container is not")
    func hostPlaintext() async throws {
        try await ArchivingSite.with { site in
            let issued = try await site.authority.issue("alice", to: TestKey.user.publicKey)
            let importer = try self.importer(site, .init(isHostPlaintextAllowed: false))
            let entry = self.entry(try TestKey.user, issued.certificate)
            let refused = await #expect(throws: ArchivalError.self) {
                try await importer.importKey(entry, by: Self.manager)
            }
            #expect(refused?.code == .pathNotAvailable && refused?.hresult.rawValue == 0x8007_0032)
            let sent = try site.userRequest(.aesKeyWrapPadded)
            let outcome = try await importer.importKey(
                encryptedKeyDER: sent.encryptedKeyDER, certificateDER: issued.certificate.derBytes, by: Self.manager)
            #expect(outcome.key == .archived)
            let stored = try await site.authority.storage.read { try $0.archivedKey(forRequest: issued.requestID) }
            let evidence = try ArchivalEvidence(json: stored?.evidenceJSON ?? "")
            #expect(evidence.imported?.source == .container && !evidence.wasInHostMemory)
        }
    }

    @Test("An imported certificate of another CA stands on no list of expiring ones")
    func expiring() async throws {
        try await ArchivingSite.with { site in
            let other = try await TestAuthority(name: "Other CA")
            for _ in 0..<5 { _ = try await other.issue("nobody", to: TestKey.other.publicKey) }
            let foreign = try await other.issue("bob", to: TestKey.user.publicKey).certificate
            let outcome = try await self.importer(site, .init(allowsForeign: true, isForced: true))
                .importKey(self.entry(try TestKey.user, foreign), by: Self.manager)
            let expiring = try await site.authority.storage.read {
                try $0.expiringCertificates(after: TestAuthority.now, until: .distantFuture, limit: 100)
            }
            #expect(!expiring.isEmpty && !expiring.contains { $0.requestID == outcome.requestID })
        }
    }

    @Test("The counters stand as in the white paper, of what was imported and of what was not")
    func counters() {
        var counters = KeyImportCounters()
        counters.users = 6
        for _ in 0..<25 { counters.count(.init(requestID: 0, key: .ignoredSignature)) }
        for number in 0..<17 {
            counters.count(.init(requestID: Int64(number), key: .archived, importedForeign: true))
        }
        #expect(
            counters.lines == [
                "Users: 6", "Ignored signature certificates: 25", "Certificates with keys: 17",
                "Foreign certificates imported: 17", "Certificates imported: 17", "Keys: 17", "Keys archived: 17",
            ])
        var refused = KeyImportCounters()
        refused.users = 6
        for _ in 0..<25 { refused.count(.init(requestID: 0, key: .ignoredSignature)) }
        for _ in 0..<17 { refused.countFailure(ofCertificate: true) }
        #expect(
            refused.lines == [
                "Users: 6", "Ignored signature certificates: 25", "Certificates with keys: 17",
                "Certificates not imported: 17", "Keys: 17", "Keys not archived: 17",
            ])
    }

    /// A container in memory.
    private final class Bytes {
        var bytes: [UInt8] = []
        var position = 0

        func read(_ count: Int) -> [UInt8] {
            let part = Array(self.bytes.dropFirst(self.position).prefix(count))
            self.position += part.count
            return part
        }
    }

    @Test(
        "A container brings its keys to the CA it was made for, encrypted all the way",
        arguments: [SoftwareToken.Kind.softHSM, .nss])
    func container(_ kind: SoftwareToken.Kind) async throws {
        try await ArchivingSite.with(kind) { site in
            let issued = try await site.authority.issue("alice", to: TestKey.user.publicKey)
            let file = Bytes()
            let prefix = Hexadecimal.upper(site.exchange.sha1Thumbprint.prefix(4).map { $0 })
            #expect(throws: ArchivalError.of(.thumbprintMismatch)) {
                try KeyContainer.Writer(recipient: site.exchange, thumbprintPrefix: "0000000") { file.bytes += $0 }
            }
            var writer = try KeyContainer.Writer(recipient: site.exchange, thumbprintPrefix: prefix) {
                file.bytes += $0
            }
            try writer.add(self.entry(TestKey.user, issued.certificate))
            try writer.finish()
            #expect(KeyContainer.Reader.recognizes(Array(file.bytes.prefix(64))))
            var reader = try KeyContainer.Reader { file.read($0) }
            let entry = try #require(try reader.next())
            #expect(try reader.next() == nil)
            let outcome = try await self.importer(site).importKey(
                encryptedKeyDER: entry.encryptedKeyDER, certificateDER: entry.certificateDER, by: Self.manager)
            #expect(outcome == .init(requestID: issued.requestID, key: .archived))
            let whole = file.bytes
            func readAll(_ bytes: [UInt8]) throws {
                let copy = Bytes()
                copy.bytes = bytes
                var reader = try KeyContainer.Reader { copy.read($0) }
                while try reader.next() != nil {}
            }
            for length in stride(from: 0, to: whole.count, by: 37) {
                #expect(throws: PKIMessageError.self) { try readAll(Array(whole.prefix(length))) }
            }
            for position in stride(from: 0, to: whole.count, by: 29) {
                var changed = whole
                changed[position] ^= 0x41
                #expect(throws: PKIMessageError.self) { try readAll(changed) }
            }
            #expect(throws: PKIMessageError.self) { try readAll(whole + [0]) }
        }
    }
}
