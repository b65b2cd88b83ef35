import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import TestSupport
import Testing

@testable import CAService

/// The parsers of this target that no other suite damages.
@Suite("Damaged trails, configurations, templates and pages")
struct ParserSweepTests {
    @Test("An exported trail that is cut anywhere is found out, and one with a bit flipped never passes as it was")
    func trail() async throws {
        let site = try await SweepSite()
        let directory = try TemporaryDirectory()
        let path = directory.path("trail")
        _ = try await site.authority.signAuditHead(by: .service)
        let auditor = Principal(name: "auditor", roles: [.auditor])
        _ = try await site.instance.exportAudit(to: path, by: auditor)
        let certificates = try await site.instance.authorityCertificates().map(\.derBytes)
        let whole = try directory.read("trail")
        func findings(_ bytes: [UInt8]) throws -> [String] {
            try directory.write("damaged", bytes)
            do {
                return try AuditFile.verify(directory.path("damaged"), certificates: certificates, .init()).findings
                    .map(\.description)
            } catch {
                #expect(error is ServiceError || error is PKIMessageError, "\(error)")
                return ["\(error)"]
            }
        }
        #expect(try findings(whole) == [])
        let entry = Array(#"{"entry""#.utf8)
        let firstEntry = try #require(whole.indices.first { whole[$0...].starts(with: entry) })
        for length in stride(from: 0, to: whole.count - 1, by: 41) {
            #expect(try findings(Array(whole[..<length])) != [], "cut to \(length)")
        }
        for index in stride(from: firstEntry, to: whole.count, by: 29) where whole[index] != UInt8(ascii: "\n") {
            var damaged = whole
            // Not bit 5: a digit of a hash keeps its value in the other case.
            damaged[index] ^= 0x01
            #expect(try findings(damaged) != [], "byte \(index), \(UnicodeScalar(whole[index]))")
        }
        await site.close()
    }

    @Test("A configuration that is damaged is refused by its own error, or is one that reads back equal")
    func configuration() throws {
        let configuration = InstanceConfiguration(
            name: "Example CA", type: .root,
            token: TokenConfiguration(module: "/none", token: "pkcs11:token=none", profile: nil, pin: .prompt),
            web: .init(host: "127.0.0.1", port: 1, publicationPort: 2, publicationURL: "http://localhost:2"),
            userPrincipalNameSuffix: nil)
        let text = Array(configuration.yamlText.utf8)
        for damaged in text.damaged {
            do {
                let read = try InstanceConfiguration(
                    yaml: String(decoding: damaged, as: UTF8.self), file: "signet.yaml")
                let again = try InstanceConfiguration(yaml: read.yamlText, file: "signet.yaml")
                #expect(again.yamlText == read.yamlText)
            } catch { #expect(error is any DiagnosableError, "\(error)") }
        }
    }

    @Test("A template's file, a bundle and a page of another CA that are damaged are refused by their own errors")
    func files() async throws {
        func attempt(_ body: () throws -> Void) {
            do { try body() } catch { #expect(error is any DiagnosableError, "\(error)") }
        }
        for damaged in Array(try TemplateFiles.text(of: BuiltInTemplates.user).utf8).damaged {
            attempt { _ = try TemplateFiles.template(from: damaged, path: "User.yaml") }
        }
        let page = #"<h1>Certificate Issued</h1><a href="certnew.cer?ReqID=12&amp;Enc=b64">Download</a>"#
        for damaged in Array(page.utf8).damaged {
            attempt { _ = try CertsrvPage(String(decoding: damaged, as: UTF8.self)) }
        }
        let site = try await SweepSite()
        let certificate = try #require(try await site.instance.authorityCertificates().first)
        for damaged in Array(TextEncoding.pem(certificate.derBytes, label: "CERTIFICATE").utf8).damaged {
            attempt { _ = try CertificateBundle.parse(damaged) }
        }
        await site.close()
    }
}
