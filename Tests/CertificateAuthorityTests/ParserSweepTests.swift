import Diagnostics
import Foundation
import PKIMessages
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import CertificateAuthority

/// The parsers of this target that read what others wrote.
@Suite("Damaged constraints, templates, attributes and answers")
struct ParserSweepTests {
    @Test("Name constraints and client information that are cut are refused; changed ones are refused or read")
    func extensions() throws {
        let constraints = try ExtensionEncoding.nameConstraints(
            .init(permitted: [.dnsName("example.test")], excluded: [.rfc822Name("secret.example.test")]))
        for damaged in Array(constraints.value).damaged {
            let found = Certificate.Extension(oid: constraints.oid, critical: true, value: damaged[...])
            do {
                _ = try NameSubtrees([found])
                #expect(damaged.count == constraints.value.count, "cut to \(damaged.count)")
            } catch { #expect(error is PKIMessageError, "\(error)") }
        }
        // clientId 9, then machine, user and program.
        let client: [UInt8] = [0x30, 12, 2, 1, 9, 12, 1, 0x61, 12, 1, 0x62, 12, 1, 0x63]
        #expect(try ClientInformation.identifier(of: client) == 9)
        for damaged in client.damaged {
            do {
                _ = try ClientInformation.identifier(of: damaged)
                #expect(damaged.count == client.count, "cut to \(damaged.count)")
            } catch { #expect(error is PKIMessageError, "\(error)") }
        }
    }

    @Test("A template in the form of Windows that is damaged is refused by its own error, or is a template")
    func templates() throws {
        let text = TemplateBits(BuiltInTemplates.user).ldif
        #expect(try TemplateImport(text).template.name == BuiltInTemplates.user.name)
        for damaged in Array(text.utf8).damaged {
            do {
                _ = try TemplateImport(String(decoding: damaged, as: UTF8.self))
            } catch { #expect(error is any DiagnosableError, "\(error)") }
        }
        for damaged in Array("6 weeks".utf8).damaged {
            guard let period = TemplatePeriod(String(decoding: damaged, as: UTF8.self)) else { continue }
            #expect(TemplatePeriod(period.description) == period)
        }
    }

    @Test("Attributes, names, expected heads and positions that are damaged are read or not, and read back equal")
    func texts() throws {
        for damaged in Array("CertificateTemplate:User\r\nSAN:dns=a.test&upn=b\n".utf8).damaged {
            let text = String(decoding: damaged, as: UTF8.self)
            #expect(RequestAttributes(text).pairs.count <= text.split(whereSeparator: \.isNewline).count)
            #expect(RequestAttributes(RequestAttributes.withoutSecrets(text)).pairs.count <= 2)
        }
        for name in ["dns:a.test", "email:a@b.test", "ip:192.0.2.1", "uri:http://a.test", "upn:a@b.test"] {
            for damaged in Array(name.utf8).damaged {
                guard let read = GeneralNameText.name(String(decoding: damaged, as: UTF8.self)) else { continue }
                #expect(GeneralNameText.name(try GeneralNameText.text(of: read)) == read)
            }
        }
        let head = "12:" + String(repeating: "0a", count: 32)
        for damaged in Array(head.utf8).damaged {
            guard let read = ExpectedAuditHead(String(decoding: damaged, as: UTF8.self)) else { continue }
            #expect(damaged.count == head.utf8.count && read.sequence > 0 && read.hash.count == 32)
        }
    }

    @Test("A policy program's answer that is damaged is refused by code, or means what it says")
    func answers() throws {
        let answer = #"{"verdict":"issue","text":"fine","restrict":{"notAfter":"2030-01-01T00:00:00Z"}}"#
        for damaged in Array(answer.utf8).damaged {
            do {
                _ = try ProgramAnswer(json: damaged, program: "test")
                #expect(damaged.count == answer.utf8.count, "cut to \(damaged.count)")
            } catch { #expect((error as? PolicyModuleError)?.code == .badAnswer, "\(error)") }
        }
    }
}
