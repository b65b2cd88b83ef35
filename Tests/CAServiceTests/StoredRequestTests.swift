import CertificateAuthority
import Foundation
import PKIMessages
import TestSupport
import Testing

@testable import CAService

@Suite("What is stored of a request that carries a private key")
struct StoredRequestTests {
    /// How many pieces of 16 bytes are in the files of the database: pages, free pages and log.
    private func pieces(of bytes: [UInt8], _ site: SweepSite) throws -> Int {
        let data = Data(bytes)
        let directory = site.directory.path("ca")
        let files = try FileManager.default.contentsOfDirectory(atPath: directory)
            .filter { $0.hasPrefix("signet.sqlite") }
            .map { try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\($0)")) }
        return stride(from: 0, to: data.count - 16, by: 16).count { start in
            files.contains { $0.range(of: data[start..<(start + 16)]) != nil }
        }
    }

    @Test("The encrypted key that came is nowhere in the database, nor is its archive after its row was deleted")
    func encryptedKey() async throws {
        let site = try await SweepSite()
        let message = try FullPKIRequest(derEncoded: site.archivalRequest)
        let envelope = try EnvelopedData(contentInfoDER: message.encryptedKeyAttribute ?? [])
        let (key, content) = (envelope.recipients[0].encryptedKey, envelope.encryptedContent)
        let issued = try await site.submit(site.archivalRequest, by: SweepSite.alice)
        // Not read; refused by its hash; asked for a template that another one names.
        var damaged = site.archivalRequest
        let place = try #require(Data(damaged).range(of: Data(content.prefix(32)))).lowerBound
        damaged[place] ^= 1
        let refusals: [([UInt8], String)] = [
            (site.archivalRequest + [0], ""), (damaged, ""), (site.archivalRequest, "CertificateTemplate:WebServer"),
        ]
        for (bytes, attributes) in refusals {
            let result = try await site.authority.submit(
                EnrollmentSubmission(requestBytes: bytes, attributes: attributes, caller: SweepSite.alice))
            #expect(result.disposition == .error || result.disposition == .denied)
        }
        // The search finds what is there: the public key of the request, and the archive.
        let storage = site.authority.instance.storage
        let archived = try #require(try await storage.read { try $0.archivedKey(forRequest: issued) })
        let archive = try EnvelopedData(contentInfoDER: archived.envelopedDataDER).encryptedContent
        let publicKey = message.certificationRequest.subjectPublicKeyInfo.keyBits
        #expect(try self.pieces(of: publicKey, site) > 10 && self.pieces(of: archive, site) > 50)
        #expect(try self.pieces(of: key, site) == 0 && self.pieces(of: content, site) == 0)

        site.clock.advance(by: 86_400 * 3_650)
        var rule = PruningRule(
            .expired, before: Date(timeIntervalSince1970: TimeInterval(site.clock.now)))
        rule.takesArchivedKeys = true
        let operatorOfBoth = Principal(name: "EXAMPLE\\both", roles: [.administrator, .certificateManager])
        #expect(try await site.authority.authority.prune(rule, by: operatorOfBoth) > 0)
        #expect(try await storage.read { try $0.archivedKey(forRequest: issued) } == nil)
        #expect(try self.pieces(of: archive, site) == 0)
        await site.close()
    }
}
