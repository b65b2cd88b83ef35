import CertificateAuthority
import EnrollmentWeb
import SecretMemory

/// Publications that are given.
struct GivenPublications: PublicationReading {
    let caName: String
    var certificates: [CACertificateRecord]
    var crls: [Int: CRLRecord] = [:]
    var files: [String: [UInt8]] = [:]

    func caCertificates() async throws -> [CACertificateRecord] { self.certificates }
    func latestCRL(_ scope: CRLScope, _ kind: CRLKind) async throws -> CRLRecord? {
        kind == .base && scope.shard == 0 ? self.crls[scope.caKeyIndex] : nil
    }
    func piece(of crl: CRLRecord, at offset: Int) async throws -> [UInt8] { Array(crl.crlDER.dropFirst(offset)) }
    func file(named name: PublishedFileName) async throws -> [UInt8]? { self.files[name.text] }
}

/// Two users: `alice` and `mallory`, with the password `secret: +ä`.
struct GivenUsers: PrincipalAuthenticating {
    static let password = "secret: +ä"

    func authenticate(user: String, password: SecretBytes) async throws -> Principal? {
        guard ["alice", "mallory"].contains(user),
            try password.matches(SecretBytes(copying: Array(GivenUsers.password.utf8)))
        else { return nil }
        return Principal(name: user, roles: [.enrollee])
    }
}
