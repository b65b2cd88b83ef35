import Foundation
import TestSupport
import Testing

@Suite("Renewal of CA certificates, on the command line")
struct RenewalTests {
    @Test("A root renewed with the same key and with a new one has versions, hashes and names as Windows gives them")
    func root() async throws {
        let site = try Site.empty()
        try await site.makeRoot()
        let root = site.path("root")
        try await site.operate("ca", "renew", "--instance", root)
        try await site.operate("ca", "renew", "--instance", root, "--new-key")
        let names = ["Test Root CA.crt", "Test Root CA(1).crt", "Test Root CA(2).crt"].map { "root/publish/\($0)" }
        let renewals = try await names.asyncMap { try await site.renewal(ofCertificate: $0) }
        #expect(renewals.map(\.version) == [0, 1, 0x10002])
        #expect(renewals[0].keyIdentifier == renewals[1].keyIdentifier)
        #expect(renewals[1].keyIdentifier != renewals[2].keyIdentifier)
        let hashes = try await names.asyncMap { try await site.sha1(ofFile: $0) }
        #expect(renewals.map(\.previous) == ["None", hashes[0], hashes[1]])
        let shown = try await site.operate("ca", "show", "--instance", root).text
        #expect(shown.contains("Before, certificate 1 of key 0:"))
        #expect(try await site.objects(on: "root").components(separatedBy: "Private Key Object").count == 3)
        try await site.operate("audit", "verify", "--instance", root)
    }

    @Test("What was issued before and after a renewal of root and issuing CA verifies, with either key")
    func chains() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        try await site.issue("before")
        try await site.operate("ca", "renew", "--instance", issuing, "--request", site.path("same.req"))
        try await site.answerRenewal("same")
        try await site.issue("same")
        try await site.operate("ca", "renew", "--instance", issuing, "--new-key", "--request", site.path("new.req"))
        // The old key signs while the answer is awaited.
        try await site.issue("meanwhile")
        try await site.operate("ca", "renew", "--instance", site.path("root"), "--new-key")
        try await site.answerRenewal("new", rootCertificate: "Test Root CA(1).crt")
        try await site.issue("new")

        let names = ["Test Issuing CA.crt", "Test Issuing CA(1).crt", "Test Issuing CA(2).crt"]
        let renewals = try await names.asyncMap { try await site.renewal(ofCertificate: "issuing/publish/\($0)") }
        #expect(renewals.map(\.version) == [0, 1, 0x10002])
        #expect(try await renewals[2].previous == site.sha1(ofFile: "issuing/publish/\(names[1])"))
        let roots = try await site.pem(["root/publish/Test Root CA.crt", "root/publish/Test Root CA(1).crt"], "roots")
        let between = try await site.pem(names.map { "issuing/publish/\($0)" }, "between")
        for name in ["before", "same", "meanwhile", "new"] {
            try await succeed([
                "openssl", "verify", "-x509_strict", "-CAfile", roots, "-untrusted", between, site.path("\(name).crt"),
            ])
        }
        // The first root certificate alone does not vouch for what the new key of the root certified.
        let old = try await site.pem(["root/publish/Test Root CA.crt"], "old")
        let refused = try await run([
            "openssl", "verify", "-CAfile", old, "-untrusted", between, site.path("new.crt"),
        ])
        #expect(refused.status == 2)
        // Bytes 9 and 10 of the serial number are the key's index.
        let serial = { (text: String) in text.dropFirst(16).prefix(4) }
        #expect(try await serial(site.serial(of: "same.crt")) == "0000")
        #expect(try await serial(site.serial(of: "new.crt")) == "0001")
        let text = try await site.text(ofCertificate: "new.crt", inform: "PEM")
        #expect(text.contains("URI:http://localhost:2/ca/Test%20Issuing%20CA(2).crt"))
        #expect(text.contains("URI:http://localhost:2/ca/Test%20Issuing%20CA(1).crl"))
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    @Test(
        "A renewal request that the key in place has signed is one of the CA itself, and the parent says so",
        arguments: [[], ["--new-key"]])
    func signedRenewal(options: [String]) async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        let renewal =
            ["ca", "renew", "--instance", issuing, "--form", "pkcs7", "--request", site.path("new.req")] + options
        #expect(try await site.signet(renewal).status == 0)
        let root = try await site.pem(["root/publish/Test Root CA.crt"], "anchor")
        try await succeed([
            "openssl", "cms", "-verify", "-inform", "PEM", "-in", site.path("new.req"), "-CAfile", root, "-purpose",
            "any", "-binary", "-out", site.path("inner.der"),
        ])
        let inner = try await run([
            "openssl", "req", "-inform", "DER", "-in", site.path("inner.der"), "-verify", "-noout", "-text",
        ])
        #expect((inner.text + inner.stderr).contains("verify OK"), "\(inner.stderr)")
        #expect(inner.text.contains("1.3.6.1.4.1.311.13.1"))
        try await site.answerRenewal("new")
        let rows = try await site.operate(
            "request", "list", "--instance", site.path("root"), "--template", "SubCA", "--numbers"
        ).text
        try await site.operate(
            "request", "export", "--instance", site.path("root"), "--column", "RawOldCertificate", "--out",
            site.path("renewed.crt"), String(try #require(rows.split(separator: "\n").first)))
        #expect(try site.directory.read("renewed.crt") == site.directory.read("issuing/publish/Test Issuing CA.crt"))
        let version = try await site.renewal(ofCertificate: "issuing/publish/Test Issuing CA(1).crt").version
        #expect(version == (options.isEmpty ? 1 : 0x10001))
        try await site.issue("www")
        for name in ["root", "issuing"] { try await site.operate("audit", "verify", "--instance", site.path(name)) }
    }

    @Test("A renewal request that a revoked certificate has signed is refused by the parent")
    func revokedRenewal() async throws {
        let site = try await Site.issuing()
        let root = site.path("root")
        try await site.operate(
            "ca", "renew", "--instance", site.path("issuing"), "--form", "pkcs7", "--request", site.path("new.req"))
        try await site.operate(
            "certificate", "revoke", "--instance", root, "--reason", "cACompromise",
            try await site.serial(of: "issuing.crt"))
        let refused = try await site.signet(
            "request", "submit", "--instance", root, "--template", "SubCA", "--out", site.path("no.crt"),
            site.path("new.req"))
        #expect(refused.status == 1)
        #expect(refused.stderr.contains("0x80092010"), "\(refused.stderr)")
        // A root has no parent to ask.
        let wrong = try await site.signet("ca", "renew", "--instance", root, "--form", "pkcs7")
        #expect(wrong.status == 64)
    }

    @Test("A renewal of which the token fails leaves no key and no certificate, and the next one works")
    func tokenFails() async throws {
        let site = try await Site.issuing(simulated: true)
        let issuing = site.path("issuing")
        let renew = [Programs.signet, "ca", "renew", "--instance", issuing, "--new-key", "--request"]
        for (number, fault) in [
            "  - {function: C_GenerateKeyPair, every: 1, returns: CKR_DEVICE_ERROR}",
            "  - {function: C_Sign, key: {label: Test Issuing CA(1)}, every: 1, returns: CKR_DEVICE_ERROR}",
        ].enumerated() {
            try site.setFaults(fault, on: "issuing")
            let failed = try await run(renew + [site.path("failed-\(number).req")])
            #expect(failed.status == 1)
            #expect(failed.stderr.contains("CKR_DEVICE_ERROR"))
            try site.setFaults("", on: "issuing")
            #expect(try await site.objects(on: "issuing").components(separatedBy: "Private Key Object").count == 2)
        }
        // Killed between the key and its request: the next renewal removes it.
        try site.setFaults(
            "  - {function: C_Sign, key: {label: Test Issuing CA(1)}, call: 2, effect: crash}", on: "issuing")
        let killed = try await run(renew + [site.path("killed.req")])
        #expect(killed.status != 0 && killed.status != 1)
        try site.setFaults("", on: "issuing")
        #expect(try await site.objects(on: "issuing").components(separatedBy: "Private Key Object").count == 3)
        try await succeed(renew + [site.path("new.req")])
        #expect(try await site.objects(on: "issuing").components(separatedBy: "Private Key Object").count == 3)
        try await site.answerRenewal("new")
        try await site.issue("www")
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    @Test("A renewal is not asked for twice; given up, its key goes; the wrong certificate is refused")
    func refusals() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        try await site.operate("ca", "renew", "--instance", issuing, "--new-key", "--request", site.path("new.req"))
        let twice = try await site.signet("ca", "renew", "--instance", issuing, "--request", site.path("again.req"))
        #expect(twice.status == 1)
        #expect(twice.stderr.contains("\"Test Issuing CA\" waits for the answer to a request already."))
        #expect(twice.stderr.contains("0x80094003"))
        let root = site.path("root/publish/Test Root CA.crt")
        let wrong = try await site.signet(
            "ca", "install", "--instance", issuing, "--chain", root, site.path("issuing.crt"))
        #expect(wrong.status == 1)
        #expect(wrong.stderr.contains("its public key is not that of the key on the token"))
        try await site.operate("ca", "renew", "--instance", issuing, "--abandon")
        #expect(try await site.objects(on: "issuing").components(separatedBy: "Private Key Object").count == 2)
        try await site.operate("ca", "renew", "--instance", issuing, "--request", site.path("same.req"))
        let same = try await site.signet(
            "ca", "install", "--instance", issuing, "--chain", root, site.path("issuing.crt"))
        #expect(same.stderr.contains("it is the certificate that is to be renewed"))
        #expect(same.stderr.contains("0x80094005"))
        // Not the CA's only key: it was there before the renewal.
        try await site.operate("ca", "renew", "--instance", issuing, "--abandon")
        #expect(try await site.objects(on: "issuing").components(separatedBy: "Private Key Object").count == 2)
        try await site.issue("www")
    }
}

@Suite("A CA whose certificate is revoked")
struct RevokedAuthorityTests {
    @Test("Neither signetd nor a signing command starts, both say why, and its records stay open")
    func revoked() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        try await site.issue("www")
        let serial = try await site.serial(of: "issuing.crt")
        try await site.operate(
            "certificate", "revoke", "--instance", site.path("root"), "--reason", "cACompromise", serial)
        try await site.operate("crl", "publish", "--instance", site.path("root"))
        try FileManager.default.copyItem(
            atPath: site.path("root/publish/Test Root CA.crl"), toPath: site.path("issuing/publish/Test Root CA.crl"))
        let request = try await site.makeRequest("next")
        for command in [
            [Programs.signetd, "--instance", issuing],
            [Programs.signet, "crl", "publish", "--instance", issuing],
            [Programs.signet, "request", "submit", "--instance", issuing, "--template", "WebServer", request],
        ] {
            let refused = try await run(command)
            #expect(refused.status == 1)
            let said = refused.text + refused.stderr
            #expect(said.contains("the certificate of CN=Test Issuing CA,O=Test was revoked by its issuer"))
            #expect(said.contains("0x80092010"))
            #expect(said.contains("signet ca renew --new-key"))
        }
        try await site.operate(
            "certificate", "revoke", "--instance", issuing, "--reason", "superseded", site.serial(of: "www.crt"))
        // Renewed with a new key, it goes on.
        try await site.operate("ca", "renew", "--instance", issuing, "--new-key", "--request", site.path("new.req"))
        try await site.answerRenewal("new")
        try await site.operate("crl", "publish", "--instance", issuing)
    }
}
