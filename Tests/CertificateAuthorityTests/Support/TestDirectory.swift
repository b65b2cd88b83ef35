import CertificateAuthority

/// Knows the same of everybody.
struct TestDirectory: RequesterDirectory {
    static let full = RequesterEntry(
        commonName: "Alice Example", email: "alice@mail.test", dnsName: "pc7.example.test",
        userPrincipalName: "alice@corp.test", servicePrincipalNames: ["http/pc7.example.test"],
        objectGUID: Array(1...16), distinguishedName: "CN=Alice,OU=People,DC=example,DC=test",
        domainDNSName: "example.test")

    var known: RequesterEntry? = TestDirectory.full

    func entry(for name: String) async throws -> RequesterEntry? { self.known }
}
