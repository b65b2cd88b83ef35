import CertificateAuthority
import Foundation
import KeyProvider
import Logging
import PKIMessages
import ServiceLifecycle
import TestSupport
import Testing

@testable import CAService
@testable import signetd

@Suite("Publication of CRLs")
struct CRLPublicationTests {
    @Test("After an older database was restored, numbers go on above those that were published")
    func restoredDatabase() async throws {
        try await withSoftHSM { token in
            let place = try await RootPlace(token)
            let first = try await place.instance.authority().publishCRLs(CRLOrder(.base), by: .service)
            let database = place.instance.databasePath
            let backup = place.directory.path("backup.sqlite")
            let program = "import sqlite3, sys; a, b = map(sqlite3.connect, sys.argv[1:]); a.backup(b)"
            #expect(try await run(["python3", "-c", program, database, backup]).status == 0)
            for _ in 0..<2 {
                _ = try await place.instance.authority().publishCRLs(CRLOrder(.base), by: .service)
            }
            await place.instance.tokens.close()
            for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: database + suffix) }
            try FileManager.default.removeItem(atPath: database)
            try FileManager.default.copyItem(atPath: backup, toPath: database)
            // Files of other CAs, and what is no list at all, do not count.
            let published = place.instance.layout.publicationDirectory
            try Array("no list".utf8).write(to: "\(published)/Place CA(9).crl")
            let made = try await run([
                "python3", "-W", "ignore", "-c", Self.foreignList, "\(published)/Place CA Root.crl",
            ])
            #expect(made.status == 0, "\(made.stderr)")

            let restored = try place.reopened()
            #expect(try await restored.storage.read { try $0.highestCRLNumber() } == first[0].record.number)
            let next = try await restored.authority().publishCRLs(CRLOrder(.base), by: .service)
            #expect(next.map(\.record.number) == [first[0].record.number + 3])
            let raised = try await restored.storage.read { try $0.auditEntries(after: 0, limit: 1_000) }
                .map(\.event).filter { $0.details["Entry"] == "CRL number" }
            #expect(raised.map { $0.details["Value"] } == ["\(first[0].record.number + 2)"])
            await restored.tokens.close()
        }
    }

    /// A list of another CA, with a number of its own.
    private static let foreignList = """
        import datetime, sys
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, 'Place CA Root')])
        start = datetime.datetime(2026, 1, 1)
        builder = x509.CertificateRevocationListBuilder(name, start, start + datetime.timedelta(days=7))
        builder = builder.add_extension(x509.CRLNumber(5000), critical=False)
        made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        open(sys.argv[1], 'wb').write(made.public_bytes(serialization.Encoding.DER))
        """

    @Test("The service brings a list to a place that had failed, and signs no other one for it")
    func retry() async throws {
        try await withSoftHSM { token in
            let place = try await RootPlace(token, crl: ["publish-to: [out]"])
            let authority = try await RunningAuthority(place.instance)
            let timer = CRLTimer(
                authority: authority, interval: .milliseconds(10),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let lists = { @Sendable in try await place.instance.storage.read { try $0.crls(limit: 10) } }
            try await whileRunning(timer) {
                try await until("the failure is noted") { try await lists().first?.publicationError != nil }
                try FileManager.default.createDirectory(
                    atPath: place.instance.directory + "/out", withIntermediateDirectories: false)
                try await until("it is published") { try await lists().first?.publishedWhen != nil }
            }
            #expect(try await lists().count == 1)
            let file = try Array(Data(contentsOf: URL(filePath: place.instance.directory + "/out/Place CA.crl")))
            let stored = try await place.instance.storage.read { try $0.latestCRL(CRLScope(caKeyIndex: 0), .base) }
            #expect(stored?.crlDER == file)
            // One event of the failure, however often it was met.
            let failures = try await place.instance.storage.read { try $0.auditEntries(after: 0, limit: 1_000) }
                .count { $0.event.id == .crlPublicationFailed }
            #expect(failures == 1)
            await place.instance.tokens.close()
        }
    }

    @Test("After a renewal with a new key the list of the old one goes on until its certificates have ended")
    func severalKeys() async throws {
        try await withSoftHSM { token in
            let place = try await RootPlace(token)
            let who = try await place.instance.localOperator()
            let leaf = try await place.issue(by: place.instance.authority())
            place.clock.advance(by: 86_400)
            _ = try await AuthorityRenewal(
                place.instance, newKeyAlgorithm: .p256, settings: nil, by: who
            ).renewRoot(validity: nil)
            let authority = try await place.instance.authority()
            try await authority.revoke(serialNumber: leaf.serialHex, reason: .superseded, by: who)
            let due = { try await authority.publishDueCRLs { _, error in Issue.record(error) } }
            let first = try await due()
            #expect(first.map(\.record.caKeyIndex) == [0, 1])
            #expect(first.map(\.record.entryCount) == [1, 0])
            let keys = authority.authority.signers.map(\.signingKey.subjectPublicKeyInfo)
            for (published, key) in zip(first, keys) {
                let list = try CertificateListFields(derEncoded: published.record.crlDER)
                #expect(list.isSigned(by: key))
            }
            #expect(try await due().isEmpty)

            // Just before the end of the old key's certificate there is a list of each, just after it of the new one.
            let end = Int64(authority.authority.signers[0].notAfter.timeIntervalSince1970)
            place.clock.advance(by: end - 60 - place.clock.now)
            #expect(try await due().map(\.record.caKeyIndex) == [0, 1])
            place.clock.advance(by: 120)
            #expect(try await authority.publishCRLs(CRLOrder(.base), by: who).map(\.record.caKeyIndex) == [1])
            await place.instance.tokens.close()
        }
    }
}

@Suite("The service's timers")
struct ServiceTimerTests {
    @Test("Notices are given at start, each once; a program that refuses them is asked again at the next look")
    func notices() async throws {
        try await withSoftHSM { token in
            let place = try await RootPlace(
                token,
                more: "notifications: {program: \"DIRECTORY/hook.sh\", steps-days: [30], deadline-seconds: 120}")
            try place.script(
                "hook.sh",
                """
                d=$(dirname "$0"); echo asked >>"$d/asked"; test -e "$d/ready" || exit 1
                cat >/dev/null; echo given >>"$d/given"
                """)
            let notifier = try #require(Notifier(instance: place.instance))
            let timer = NotificationTimer(
                notifier: notifier, interval: .milliseconds(10),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let lines = { @Sendable (name: String) in
                let bytes = (try? place.directory.read(name)) ?? []
                return String(decoding: bytes, as: UTF8.self).split(separator: "\n").count
            }
            // No CRL was ever published: one notice.
            try await whileRunning(timer) {
                try await until("the program is asked again") { lines("asked") >= 3 }
                #expect(lines("given") == 0)
                try place.directory.write("ready", [])
                try await until("it is given") { lines("given") == 1 }
            }
            #expect(try await notifier.notify() == 0)
            await place.instance.tokens.close()
        }
    }
}

extension [UInt8] {
    fileprivate func write(to path: String) throws { try Data(self).write(to: URL(filePath: path)) }
}
