import PKIMessages
import Testing
import X509

@testable import CertificateAuthority

@Suite("Extensions that a template decides")
struct PreparedExtensionsTests {
    @Test("They are encoded once for a template as it is, and anew when it or the key's usages are others")
    func prepared() throws {
        let prepared = PreparedExtensions()
        var encodings = 0
        func extensions(_ template: CertificateTemplate, _ keyUsage: [KeyUsageBit]) throws -> [Certificate.Extension] {
            try prepared.extensions(of: template, keyUsage: keyUsage) {
                encodings += 1
                return [try ExtensionEncoding.subjectKeyIdentifier([UInt8(encodings)])]
            }
        }
        let template = BuiltInTemplates.webServer
        let first = try extensions(template, [.digitalSignature])
        #expect(try extensions(template, [.digitalSignature]) == first)
        #expect(encodings == 1)
        #expect(try extensions(template, []) != first)
        var restricted = template
        restricted.restrict(to: [])
        let changed = try extensions(restricted, [.digitalSignature])
        #expect(changed != first && encodings == 3)
        #expect(try extensions(template, [.digitalSignature]) != changed)
    }

    @Test("What cannot be encoded is not kept")
    func failed() throws {
        let prepared = PreparedExtensions()
        let template = BuiltInTemplates.webServer
        #expect(throws: IssuanceError.self) {
            try prepared.extensions(of: template, keyUsage: []) { throw IssuanceError.unexpected("test") }
        }
        #expect(prepared.extensions(of: template, keyUsage: []) { [] } == [])
    }
}
