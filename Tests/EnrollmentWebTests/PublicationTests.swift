import CertificateAuthority
import Foundation
import HTTPTypes
import SQLiteStorage
import TestSupport
import Testing

@testable import EnrollmentWeb

@Suite("Publication points")
struct PublicationTests {
    private let base = "/ca/Test%20%26%20%22Issuing%22%20CA"

    @Test("CA certificate and CRL are DER under the CA's name, without a password")
    func files() async throws {
        for scope in [EnrollmentFront.Scope.everything, .publicationOnly] {
            let front = try await WebFront(scope: scope)
            for suffix in [".crt", "(0).crt", ".CRT"] {
                let certificate = try await front.get(base + suffix, user: nil)
                #expect(certificate.status == 200 && certificate.contentType == "application/pkix-cert")
                #expect(certificate.body == front.pki.issuingDER)
            }
            for suffix in [".crl", "(0).crl"] {
                let crl = try await front.get(base + suffix, user: nil)
                #expect(crl.status == 200 && crl.contentType == "application/pkix-crl")
                #expect(crl.body == front.pki.crlDER)
            }
            let head = try await front.send(.head, base + ".crl", user: nil)
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }

    @Test("A link between two keys is served under its own name, and certcarc.asp leads to it")
    func links() async throws {
        let front = try await WebFront { publications in
            publications.certificates.append(
                CACertificateRecord(
                    use: .newWithOld, index: 1, keyIndex: 0,
                    certificateDER: publications.certificates[0].certificateDER,
                    locator: nil))
        }
        let link = try await front.get(base + "(0-1).crt", user: nil)
        #expect(link.status == 200 && link.contentType == "application/pkix-cert")
        #expect(link.body == front.pki.rootDER)
        #expect(try await front.get(base + "(1-0).crt", user: nil).status == 404)
        let page = try await front.get("/certsrv/certcarc.asp").text
        let path = try #require(page.firstMatch(of: /href="(\/ca\/[^"]+)"/)?.1)
        #expect(try await front.get(String(path), user: nil).body == front.pki.rootDER)
        // The chain of what was issued is what it was.
        let chain = try await front.get("/certsrv/certnew.p7b?ReqID=CACert&Renewal=0&Enc=bin")
        let printed = try await run(
            ["openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout"], input: chain.body)
        #expect(printed.text.matches(of: /subject=/).count == 2)
    }

    @Test("What is not published is 404", arguments: ["(1).crt", "(1).crl", ".txt", "", "(99999999).crl", "x.crl"])
    func missing(_ suffix: String) async throws {
        #expect(try await WebFront().get(base + suffix, user: nil).status == 404)
    }

    @Test("A listener for publications has no enrolment pages")
    func publicationOnly() async throws {
        let front = try await WebFront(scope: .publicationOnly)
        #expect(try await front.get("/certsrv/").status == 404)
        #expect(try await front.send(.post, "/certsrv/certfnsh.asp").status == 404)
        #expect(try await front.get("/healthz", user: nil).text == "ok\n")
    }

    @Test("A CRL is cached until its next update at most, and never for more than an hour")
    func caching() async throws {
        let front = try await WebFront()
        let crl = try await front.get(base + ".crl", user: nil)
        #expect(crl.headers[.cacheControl] == "public, max-age=600, must-revalidate")
        #expect(crl.headers[.expires] == "Thu, 01 Jan 2026 00:10:00 GMT")
        #expect(crl.headers[.lastModified] == "Wed, 31 Dec 2025 23:59:00 GMT")
        #expect(crl.headers[.eTag] == "\"0-7\"")
        for (nextUpdate, seconds) in [(86400.0, 3600), (-1, 0)] {
            let other = try await WebFront { publications in
                publications.crls[0]?.nextUpdate = WebFront.now.addingTimeInterval(nextUpdate)
            }
            let answer = try await other.get(base + ".crl", user: nil)
            #expect(answer.headers[.cacheControl] == "public, max-age=\(seconds), must-revalidate")
        }
    }

    @Test("A CRL that the client has already is not sent again")
    func conditional() async throws {
        let front = try await WebFront()
        let same = try await front.send(.get, base + ".crl", headers: [.ifNoneMatch: "\"x\", \"0-7\""], user: nil)
        #expect(same.status == 304 && same.body.isEmpty && same.headers[.eTag] == "\"0-7\"")
        let older = try await front.send(.get, base + ".crl", headers: [.ifNoneMatch: "\"0-6\""], user: nil)
        #expect(older.status == 200 && older.body == front.pki.crlDER)
    }

    @Test("Without a CA certificate the service says that it is not well")
    func health() async throws {
        let front = try await WebFront { $0.certificates = [] }
        #expect(try await front.get("/healthz", user: nil).status == 503)
    }

    @Test(
        "A file's name says what it holds of a CA",
        arguments: [
            ("A.crt", "A", 0, 0, false), ("A(2).crl", "A", 2, 0, false), ("A (x).crt", "A (x)", 0, 0, false),
            ("A!002fB(1).CRL", "A/B", 1, 0, false), ("(3).crt", "(3)", 0, 0, false),
            ("A.b(12).crt", "A.b", 12, 0, false),
            ("A+.crl", "A", 0, 0, true), ("A(1)-shard7+.crl", "A", 1, 7, true), ("A-shard2.crl", "A", 0, 2, false),
            ("A-shard2.crl", "A-shard2", 0, 0, false),
        ].map { ($0.0.replacing("(x)", with: "!0028x!0029").replacing("(3)", with: "!00283!0029"), $0) })
    func names(_ text: String, _ expected: (String, String, Int, Int, Bool)) throws {
        let name = try #require(PublishedFileName(text))
        #expect(
            name.part(ofCA: expected.1)
                == PublishedFileName.Part(index: expected.2, shard: expected.3, isDelta: expected.4))
    }

    @Test(
        "A file of another CA is none of this one's, nor is a delta certificate",
        arguments: [
            "AB.crl", "A().crt", "A(1)(2).crl", "A-shard.crl", "A+.crt", "A++.crl", "B.crl", "A(0-1).crl", "A(0-).crt",
            "A(-1).crt",
        ])
    func others(_ text: String) throws {
        #expect(try #require(PublishedFileName(text)).part(ofCA: "A") == nil)
    }

    @Test(
        "A name that could leave the directory is no name",
        arguments: [
            "", "crt", ".crt", "..crt", "../a.crt", "a/b.crt", "..\\a.crt", "a\u{0}.crt", "a.pem", "a.crt.", "a\n.crl",
            String(repeating: "a", count: 256) + ".crl",
        ])
    func noNames(_ text: String) {
        #expect(PublishedFileName(text) == nil)
    }

    @Test("Publications come out of the database, those of other CAs out of the directory")
    func stored() async throws {
        let pki = try await TestPKI.make()
        let storage = try SQLiteStorage(inMemoryNamed: "publications")
        let record = CRLRecord(
            number: 1, caKeyIndex: 0, thisUpdate: WebFront.now, nextUpdate: WebFront.now, crlDER: pki.crlDER)
        try await storage.write { transaction in
            for certificate in pki.caCertificates { try transaction.insert(certificate) }
            try transaction.insert(record)
        }
        let directory = try TemporaryDirectory()
        try directory.write("Test Root CA.crt", pki.rootDER)
        let publications = StoredPublications(
            caName: TestPKI.caName, storage: storage, directory: directory.path)
        #expect(try await publications.latestCRL(CRLScope(caKeyIndex: 0), .base)?.crlDER == pki.crlDER)
        #expect(try await publications.caCertificates().count == 2)
        let present = try #require(PublishedFileName("Test Root CA.crt"))
        #expect(try await publications.file(named: present) == pki.rootDER)
        let absent = try #require(PublishedFileName("Test Root CA.crl"))
        #expect(try await publications.file(named: absent) == nil)
    }
}
