import Diagnostics
import KeyProvider
import PKIMessages
import SwiftASN1
import Testing
import X509

@testable import CAService

@Suite("Information files of certreq")
struct RequestInformationTests {
    private func read(_ text: String) throws -> RequestInformation {
        try RequestInformation(Array(text.utf8), file: "request.inf")
    }

    @Test("The file of the white paper asks for a CMC request with the key, for template EFS")
    func whitePaper() throws {
        let information = try self.read(
            """
            [Version]
            Signature= "$Windows NT$"

            [NewRequest]
            Subject = "CN=Test Subject"
            KeySpec = 1
            Exportable = FALSE
            PrivateKeyArchive = TRUE

            [RequestAttributes]
            CertificateTemplate = EFS
            """)
        #expect(information.subject == "CN=Test Subject")
        #expect(information.archivesPrivateKey && !information.wantsExportableKey)
        #expect(information.template == "EFS" && information.keyAlgorithm == .rsa(modulusBits: 2048))
    }

    @Test("Extensions are taken in each of the five forms, lengthened by _continue_ and named by [Strings]")
    func extensions() throws {
        let information = try self.read(
            """
            [NewRequest]
            Subject = "CN=a"
            KeyAlgorithm = ECDSA_P256
            KeyUsage = 0xa0
            RequestType = CMC
            [EnhancedKeyUsageExtension]
            OID = 1.3.6.1.5.5.7.3.1
            [Extensions]
            %szOID_SUBJECT_ALTERNATIVE_NAME% = "{text}dns=www.example.test&"
            _continue_ = "upn=user@example.test&"
            1.2.3.1 = "{utf8}text"
            1.2.3.2 = "{octet}QUI="
            1.2.3.3 = "{asn}BQA="
            1.2.3.4 = "{hex}05 00"
            Critical = 1.2.3.3, 2.5.29.17
            [Strings]
            szOID_SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"
            """)
        #expect(information.keyAlgorithm == .p256 && information.form == .cmc)
        let values = Dictionary(
            uniqueKeysWithValues: information.extensions.map { ("\($0.oid)", ($0.critical, Array($0.value))) })
        #expect(values["2.5.29.15"]?.1 == [0x03, 0x02, 0x05, 0xA0])
        #expect(values["2.5.29.37"]?.1 == [0x30, 0x0A, 0x06, 0x08, 0x2B, 6, 1, 5, 5, 7, 3, 1])
        #expect(values["1.2.3.1"]?.1 == [0x0C, 4] + Array("text".utf8))
        #expect(values["1.2.3.2"]?.1 == [0x04, 2] + Array("AB".utf8))
        #expect(values["1.2.3.3"]?.1 == [5, 0] && values["1.2.3.3"]?.0 == true)
        #expect(values["1.2.3.4"]?.1 == [5, 0] && values["1.2.3.4"]?.0 == false)
        let names = try ExtensionDecoding(information.extensions).subjectAlternativeNames()
        #expect(names.count == 2 && names[1].userPrincipalName == "user@example.test")
        #expect(values["2.5.29.17"]?.0 == true)
    }

    @Test(
        "What is not known, or cannot be, is refused with its line",
        arguments: [
            ("[NewRequest]\nSubjekt = a", "line 2"), ("[NewRequest]\n[Other]\na = b", "line 2"),
            ("[NewRequest]\nKeyLength = 100", "line 2"), ("[NewRequest]\nKeyAlgorithm = DSA", "line 2"),
            ("[NewRequest]\nUseExistingKeySet = TRUE", "line 2"), ("[NewRequest]\nKeyUsage = many", "line 2"),
            ("[NewRequest]\nExportable = perhaps", "line 2"), ("[Version]\na = b", "[NewRequest]"),
            ("[NewRequest]\n[Extensions]\n1.2.3 = \"{asn}BQ==\"", "line 3"),
            ("[NewRequest]\n[Extensions]\n1.2.3 = \"{base}BQ==\"", "line 3"),
            ("[NewRequest]\n[Extensions]\n1.2.3 = text", "line 3"),
            ("[NewRequest]\n[Extensions]\nCritical = 1.2.3", "[Extensions]"),
        ])
    func refused(text: String, place: String) {
        let error = #expect(throws: ServiceError.self) { try self.read(text) }
        #expect(error?.code == .invalidField)
        #expect(error.map { ErrorReport($0).lines.joined().contains(place) } == true, "\(String(describing: error))")
    }

    @Test("A file that is cut off or changed is read, or refused with this module's error")
    func damage() throws {
        let text = Array(
            "[NewRequest]\nSubject = \"CN=a\"\nKeyUsage = 0xa0\n[Extensions]\n1.2.3 = \"{hex}05 00\"\nCritical = 1.2.3\n"
                .utf8)
        for length in text.indices { try self.mayThrow(Array(text[..<length])) }
        for index in text.indices {
            var changed = text
            changed[index] ^= 0x15
            try self.mayThrow(changed)
        }
    }

    private func mayThrow(_ bytes: [UInt8]) throws {
        do { _ = try RequestInformation(bytes, file: "request.inf") } catch {
            #expect(error is ServiceError || error is PKIMessageError, "\(error)")
        }
    }
}
