import Foundation
import Glibc
import PKIMessages
import SecretMemory
import Synchronization
import Testing
import X509

@testable import CAService
@testable import KeyArchival

@Suite("Completing the chain of a recovered certificate")
struct ChainCompletionTests {
    /// A CA, and a certificate of it that tells where the CA's is.
    private struct Issued {
        let authority: CertificateFields
        let key: RecoveredKey

        init(url: String?) throws {
            let caKey = try SoftwareKeys.generate(.p256)
            self.authority = try Issued.certificate(
                "CN=CA", of: caKey, by: caKey, issuer: "CN=CA", [ExtensionEncoding.basicConstraints(isCA: true)])
            let userKey = try SoftwareKeys.generate(.p256)
            let extensions =
                try url.map { [try ExtensionEncoding.authorityInformationAccess(caIssuers: [$0], ocsp: [])] } ?? []
            self.key = RecoveredKey(
                privateKey: try PrivateKeyInfo(derEncoded: userKey),
                certificate: try Issued.certificate("CN=user", of: userKey, by: caKey, issuer: "CN=CA", extensions),
                chain: [])
        }

        private static func certificate(
            _ name: String, of key: SecretBytes, by signer: SecretBytes, issuer: String,
            _ extensions: [Certificate.Extension]
        ) throws -> CertificateFields {
            let tbs = try TBSCertificate(
                serialNumber: [1], signatureAlgorithm: .ecdsaWithSHA256,
                issuerDER: StrictDER.serialize(DistinguishedNameText.parse(issuer)),
                notBefore: Date(timeIntervalSince1970: 1_700_000_000),
                notAfter: Date(timeIntervalSince1970: 2_000_000_000),
                subjectDER: StrictDER.serialize(DistinguishedNameText.parse(name)),
                subjectPublicKeyInfo: PrivateKeyInfo(derEncoded: key).subjectPublicKeyInfo(), extensions: extensions
            ).derEncoded()
            return try CertificateFields(
                derEncoded: SignedObject.assemble(
                    tbs: tbs, algorithm: .ecdsaWithSHA256,
                    signature: SoftwareKeys.sign(tbs, with: signer, digest: .sha256)))
        }
    }

    /// A TCP port of this machine.
    private final class Port {
        let descriptor: Int32
        let number: Int

        init() throws {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            self.descriptor = descriptor
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let bound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    Glibc.bind(descriptor, address, size) == 0 && listen(descriptor, 4) == 0
                        && getsockname(descriptor, address, &size) == 0
                }
            }
            self.number = Int(UInt16(bigEndian: address.sin_port))
            try #require(bound)
        }

        deinit { close(self.descriptor) }

        /// Answers one request.
        func answer(_ bytes: [UInt8]) {
            let descriptor = self.descriptor
            Thread.detachNewThread {
                let connection = accept(descriptor, nil, nil)
                var request = [UInt8](repeating: 0, count: 4096)
                _ = recv(connection, &request, request.count, 0)
                _ = send(connection, bytes, bytes.count, 0)
                close(connection)
            }
        }
    }

    @Test("The issuer is fetched from where the certificate says")
    func fetched() async throws {
        let port = try Port()
        let issued = try Issued(url: "http://127.0.0.1:\(port.number)/ca.crt")
        port.answer(
            Array("HTTP/1.1 200 OK\r\nContent-Type: application/pkix-cert\r\n\r\n".utf8) + issued.authority.derBytes)
        let completed = await ChainCompletion(limit: .seconds(120)).complete(issued.key)
        #expect(completed.found.map(\.derBytes) == [issued.authority.derBytes])
        #expect(completed.notes.isEmpty)
    }

    @Test("What does not answer in time, or is another certificate, is a note and no failure")
    func notes() async throws {
        let silent = try Port()
        let issued = try Issued(url: "http://127.0.0.1:\(silent.number)/ca.crt")
        let waited = await ChainCompletion(limit: .milliseconds(200)).complete(issued.key)
        #expect(waited.found.isEmpty && waited.notes.count == 1)
        #expect(waited.notes.first?.contains("did not answer in time") == true)

        let other = try Issued(url: nil).authority
        let wrong = await ChainCompletion { _, _ in other.derBytes }.complete(issued.key)
        #expect(wrong.found.isEmpty && wrong.notes.first?.contains("is not the issuer of CN=user") == true)

        let missing = try Port()
        missing.answer(Array("HTTP/1.0 404 Not Found\r\n\r\n".utf8))
        let notFound = try await ChainCompletion(limit: .seconds(120)).complete(
            Issued(url: "http://127.0.0.1:\(missing.number)/").key)
        #expect(notFound.notes.first?.contains("its answer is 404") == true)

        let unknown = try await ChainCompletion().complete(Issued(url: nil).key)
        #expect(unknown.notes == ["the issuer of CN=user is not known, and no address of it is given"])
    }
}
