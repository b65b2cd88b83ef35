import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import SQLiteStorage
import Testing

@Suite("Records come back from the database as they were stored")
struct RecordTests {
    @Test("A request comes back with every field, and again after an update", arguments: Place.allCases)
    func requests(_ place: Place) async throws {
        try await place.withStorage { storage in
            let stored = try await storage.write { writer in
                var record = request()
                record.requestID = try writer.insert(record)
                return record
            }
            #expect(stored.requestID == 1)
            try await #expect(storage.read { try $0.request(1) } == stored)
            var changed = stored
            changed.templateName = nil
            changed.resolvedWhen = nil
            changed.encryptedKeyHash = nil
            changed.disposition = .denied
            changed.statusCode = .templateDenied
            let final = changed
            try await storage.write { try $0.update(final) }
            try await #expect(storage.read { try $0.request(1) } == final)
            try await #expect(storage.read { try $0.request(2) } == nil)
        }
    }

    @Test("An outcome is stored once, for an active request, and changes nothing else of its row")
    func settlement() async throws {
        try await Place.memory.withStorage { storage in
            let stored = try await storage.write { writer in
                var record = request()
                record.resolvedWhen = nil
                record.requestID = try writer.insert(record)
                return record
            }
            var settled = stored
            settled.disposition = .issued
            settled.statusCode = .ok
            settled.dispositionMessage = "Issued"
            settled.resolvedWhen = noon
            var other = settled
            other.subject = "CN=mallory"
            let (final, changed) = (settled, other)
            #expect(try await storage.write { try $0.settle(changed) })
            try await #expect(storage.read { try $0.request(1) } == final)
            #expect(try await !storage.write { try $0.settle(stored) })
            try await #expect(storage.read { try $0.request(1) } == final)
        }
    }

    @Test("A read in the background sees what every read sees, and fails as it does", arguments: Place.allCases)
    func background(_ place: Place) async throws {
        try await place.withStorage { storage in
            let number = try await storage.write { try $0.insert(request()) }
            let found = try await storage.readInBackground { try $0.request(number) }
            try await #expect(storage.read { try $0.request(number) } == found)
            #expect(found?.requestID == number)
            await #expect(throws: StorageError.expected(.notFound)) {
                try await storage.readInBackground { _ in
                    throw StorageError.expected(.notFound)
                }
            }
        }
    }

    @Test("Requests are listed newest first, by disposition and up to the limit", arguments: Place.allCases)
    func requestLists(_ place: Place) async throws {
        try await place.withStorage { storage in
            try await storage.write { writer in
                for disposition in [Disposition.pending, .issued, .pending, .denied, .pending] {
                    _ = try writer.insert(request(disposition: disposition))
                }
            }
            let numbers = try await storage.read { reader in
                (
                    try reader.requests(with: .pending, limit: 2).map(\.requestID),
                    try reader.requests(with: nil, limit: 3).map(\.requestID)
                )
            }
            #expect(numbers.0 == [5, 3])
            #expect(numbers.1 == [5, 4, 3])
        }
    }

    @Test("A certificate comes back by request and by serial number; a hold is put on and taken away")
    func certificates() async throws {
        try await Place.memory.withStorage { storage in
            let record = certificate(1, serial: "61AA")
            try await storage.write { writer in
                _ = try writer.insert(request())
                try writer.insert(record)
            }
            try await #expect(storage.read { try $0.certificate(forRequest: 1) } == record)
            let hold = CertificateRecord.Revocation(reason: 6, revokedWhen: noon, effectiveWhen: noon)
            try await storage.write { try $0.setRevocation(hold, serialNumber: "61AA") }
            try await #expect(storage.read { try $0.certificate(serialNumber: "61AA") }?.revocation == hold)
            try await storage.write { try $0.setRevocation(nil, serialNumber: "61AA") }
            try await #expect(storage.read { try $0.certificate(serialNumber: "61AA") } == record)
        }
    }

    @Test("The revoked certificates of one CA key are listed by serial number, without the expired")
    func revokedCertificates() async throws {
        try await Place.memory.withStorage { storage in
            let gone = CertificateRecord.Revocation(reason: 1, revokedWhen: noon, effectiveWhen: noon)
            let past = noon.addingTimeInterval(-1)
            try await storage.write { writer in
                for _ in 1...5 { _ = try writer.insert(request()) }
                try writer.insert(certificate(1, serial: "0C", revocation: gone))
                try writer.insert(certificate(2, serial: "0A", revocation: gone))
                try writer.insert(certificate(3, serial: "0B"))
                try writer.insert(certificate(4, serial: "0D", notAfter: past, revocation: gone))
                try writer.insert(certificate(5, serial: "0E", caKeyIndex: 1, revocation: gone))
            }
            let query = RevocationQuery(scope: CRLScope(caKeyIndex: 0), effectiveUntil: noon, notExpiredAt: noon)
            let serials = try await storage.read { try serialNumbers($0, query) }
            #expect(serials == [[0x0A], [0x0C]])
        }
    }

    @Test("An intent is open until it gets its one outcome")
    func intents() async throws {
        try await Place.memory.withStorage { storage in
            let number = try await storage.write { try $0.insert(intent("61AA")) }
            var expected = intent("61AA")
            expected.intentID = number
            try await #expect(storage.read { try $0.openIntents() } == [expected])
            try await storage.write { try $0.closeIntent(number, outcome: .completed, at: noon) }
            try await #expect(storage.read { try $0.openIntents() }.isEmpty)
            await #expect(throws: StorageError.notFoundForTests) {
                try await storage.write { try $0.closeIntent(number, outcome: .failed, at: noon) }
            }
        }
    }

    @Test("CA certificates come back own newest first and then up the chain", arguments: Place.allCases)
    func caCertificates(_ place: Place) async throws {
        try await place.withStorage { storage in
            let locator = try locator()
            let chain = [1, 2].map {
                CACertificateRecord(use: .chain, index: $0, keyIndex: 0, certificateDER: [UInt8($0)], locator: nil)
            }
            let own = [1, 0].map {
                CACertificateRecord(use: .own, index: $0, keyIndex: $0, certificateDER: [UInt8($0)], locator: locator)
            }
            try await storage.write { writer in
                for record in chain.reversed() + own.reversed() { try writer.insert(record) }
            }
            try await #expect(storage.read { try $0.caCertificates() } == own + chain)
        }
    }

    @Test("Exchange certificates, agents, archived keys, users and settings come back", arguments: Place.allCases)
    func theRest(_ place: Place) async throws {
        try await place.withStorage { storage in
            let exchange = ExchangeCertificateRecord(
                requestID: 1, certificateDER: [1], locator: try locator(), notBefore: noon, notAfter: noon)
            let agent = KRARecord(sha1Thumbprint: [1, 2], certificateDER: [3], addedWhen: noon)
            let user = UserRecord(
                name: "Alice", passwordHash: "$pbkdf2-sha256$1$c2FsdA$aGFzaA", roles: [.auditor, .enrollee])
            try await storage.write { writer in
                _ = try writer.insert(request())
                try writer.insert(exchange)
                try writer.insert(agent)
                try writer.insert(archivedKey(1))
                try writer.upsert(UserRecord(name: "alice", passwordHash: "old", roles: []))
                try writer.upsert(user)
                try writer.setSetting("kra-count", to: "1")
                try writer.setSetting("kra-count", to: "2")
            }
            try await storage.read { reader in
                try #expect(reader.exchangeCertificates() == [exchange])
                try #expect(reader.keyRecoveryAgents() == [agent])
                try #expect(reader.archivedKey(forRequest: 1) == archivedKey(1))
                try #expect(reader.archivedKey(forRequest: 2) == nil)
                try #expect(reader.user(named: "ALICE")?.roles == user.roles)
                try #expect(reader.users().map(\.passwordHash) == [user.passwordHash])
                try #expect(reader.setting("kra-count") == "2")
                try #expect(reader.setting("nothing") == nil)
            }
        }
    }

    @Test("Every change of users, groups and role separation gives principals another version, and nothing else does")
    func principalVersion() async throws {
        try await Place.memory.withStorage { storage in
            let changes: [@Sendable (any StorageWriting) throws -> Void] = [
                { try $0.upsert(UserRecord(name: "alice", passwordHash: "a", roles: [])) },
                { try $0.upsert(UserRecord(name: "alice", passwordHash: "a", roles: [.auditor])) },
                { try $0.upsert(GroupRecord(name: "staff", roles: [.reader])) },
                { try $0.upsert(GroupRecord(name: "staff", roles: [.reader], members: ["alice"])) },
                { try $0.upsert(GroupRecord(name: "staff", roles: [.reader], members: [])) },
                { _ = try $0.removeGroup(named: "staff") },
                { try $0.setSetting(RoleSettings.separation, to: RoleSettings.on) },
                { try $0.setSetting(RoleSettings.separation, to: RoleSettings.off) },
                { _ = try $0.removeUser(named: "alice") },
            ]
            var seen = [try await storage.read { try $0.principalVersion() }]
            for change in changes {
                try await storage.write(change)
                seen.append(try await storage.read { try $0.principalVersion() })
            }
            #expect(seen == seen.sorted() && Set(seen).count == seen.count, "\(seen)")
            try await storage.write { writer in
                _ = try writer.insert(request())
                try writer.setSetting("kra-count", to: "1")
                _ = try writer.removeUser(named: "nobody")
            }
            try await #expect(storage.read { try $0.principalVersion() } == seen.last)
        }
    }

    @Test("The newest CRL of a key is found, and a number with a failed signature counts as used")
    func crls() async throws {
        try await Place.memory.withStorage { storage in
            try await #expect(storage.read { try $0.highestCRLNumber() } == 0)
            let crl = CRLRecord(number: 9, caKeyIndex: 0, thisUpdate: noon, nextUpdate: noon, crlDER: [0x30])
            let other = CRLRecord(number: 10, caKeyIndex: 1, thisUpdate: noon, nextUpdate: noon, crlDER: [0x31])
            try await storage.write { writer in
                try writer.insert(crl)
                try writer.insert(other)
            }
            try await #expect(storage.read { try $0.latestCRL(caKeyIndex: 0) } == crl)
            try await #expect(storage.read { try $0.latestCRL(caKeyIndex: 2) } == nil)
            try await #expect(storage.read { try $0.highestCRLNumber() } == 10)
            try await storage.write { writer in
                let failed = try writer.insert(intent("11", kind: .crl))
                try writer.closeIntent(failed, outcome: .failed, at: noon)
                _ = try writer.insert(intent("61AA"))
            }
            try await #expect(storage.read { try $0.highestCRLNumber() } == 11)
        }
    }
}

/// The serial numbers of which a list speaks.
func serialNumbers(_ reader: any StorageReading, _ query: RevocationQuery) throws -> [[UInt8]] {
    var found: [[UInt8]] = []
    try reader.forEachRevocation(query) { found.append($0.serialNumber) }
    return found
}
