import Foundation
import TestSupport
import Testing

@Suite("Certificates that link a root's keys")
struct LinkCertificateTests {
    /// A root with two keys; `before.crt` below the first, `after.crt` below the second; CRLs of all in `crls.pem`.
    private func site() async throws -> Site {
        let site = try await Site.issuing()
        let (root, issuing) = (site.path("root"), site.path("issuing"))
        try await site.issue("before")
        let renewed = try await site.operate("ca", "renew", "--instance", root, "--new-key").text
        for name in ["Test Root CA(1-0).crt", "Test Root CA(0-1).crt"] {
            #expect(renewed.contains("Link: \(root)/publish/\(name)\n"))
        }
        try await site.operate("ca", "renew", "--instance", issuing, "--new-key", "--request", site.path("new.req"))
        try await site.answerRenewal("new", rootCertificate: "Test Root CA(1).crt")
        try await site.issue("after")
        var lists = ""
        for name in ["root", "issuing"] {
            try await site.operate("crl", "publish", "--instance", site.path(name))
            for suffix in ["", "(1)"] {
                let path = "\(name)/publish/Test \(name.capitalized) CA\(suffix).crl"
                lists += try await succeed(["openssl", "crl", "-inform", "DER", "-in", site.path(path)]).text
            }
        }
        try site.directory.write("crls.pem", Array(lists.utf8))
        return site
    }

    private func opensslTakes(_ leaf: String, _ site: Site, root: String, between: [String]) async throws -> Bool {
        let anchor = try await site.pem(["root/publish/\(root)"], "anchor")
        let untrusted = try await site.pem(between, "untrusted")
        return try await run([
            "openssl", "verify", "-x509_strict", "-crl_check_all", "-CRLfile", site.path("crls.pem"), "-CAfile", anchor,
            "-untrusted", untrusted, site.path(leaf),
        ]).status == 0
    }

    @Test(
        "Who trusts only the old root, or only the new one, follows a link to what the other key issued, and no further"
    )
    func chains() async throws {
        let site = try await self.site()
        let (old, new) = ("Test Root CA.crt", "Test Root CA(1).crt")
        let newWithOld = "root/publish/Test Root CA(0-1).crt"
        let oldWithNew = "root/publish/Test Root CA(1-0).crt"
        let issuing = ["issuing/publish/Test Issuing CA.crt", "issuing/publish/Test Issuing CA(1).crt"]
        for (leaf, root, link) in [("after.crt", old, newWithOld), ("before.crt", new, oldWithNew)] {
            #expect(try await self.opensslTakes(leaf, site, root: root, between: issuing + [link]))
            // In whatever order they come, and with the root that is not trusted among them.
            #expect(try await self.opensslTakes(leaf, site, root: root, between: [link] + issuing.reversed()))
            #expect(try await !self.opensslTakes(leaf, site, root: root, between: issuing))
            #expect(
                try await self.opensslTakes(
                    leaf, site, root: root, between: [link, "root/publish/\(root == old ? new : old)"] + issuing))
            let anchor = try await site.pem(["root/publish/\(root)"], "judge-root")
            let between = try await site.pem(issuing + [link], "judge-between")
            let host = String(leaf.dropLast(4))
            #expect(
                try await site.cryptography(
                    leaf: leaf, between: "judge-between.pem", root: "judge-root.pem", host: host))
            #expect(!anchor.isEmpty && !between.isEmpty)
            // GnuTLS wants the path in order.
            let lower = root == old ? issuing[1] : issuing[0]
            _ = try await site.pem([lower, link, "root/publish/\(root)"], "path")
            #expect(try await site.certtool([leaf, "path.pem"]))
        }
    }

    @Test("A link says what the key's own certificate says, is served beside it, and can be revoked")
    func content() async throws {
        let site = try await self.site()
        let root = site.path("root")
        let link = try await site.text(ofCertificate: "root/publish/Test Root CA(0-1).crt")
        let own = try await site.text(ofCertificate: "root/publish/Test Root CA(1).crt")
        for text in [link, own] {
            #expect(text.contains("CA:TRUE") && text.contains("Certificate Sign, CRL Sign"))
        }
        #expect(link.contains("URI:http://localhost:1/ca/Test%20Root%20CA.crl"))
        #expect(link.contains("URI:http://localhost:1/ca/Test%20Root%20CA.crt"))
        let renewals = try await ["(1)", "(0-1)"].asyncMap {
            try await site.renewal(ofCertificate: "root/publish/Test Root CA\($0).crt")
        }
        #expect(renewals[0].version == renewals[1].version)
        #expect(renewals[0].keyIdentifier == renewals[1].keyIdentifier)
        #expect(renewals[1].previous == "None")
        let shown = try await site.operate("ca", "show", "--instance", root).text
        #expect(shown.contains("Link (0-1), new-with-old:") && shown.contains("Link (1-0), old-with-new:"))
        #expect(!shown.contains("missing"))
        #expect(
            try await site.operate("ca", "link", "--instance", root).text == "No link certificate is missing.\n")
        let rows = try await site.operate("request", "list", "--instance", root, "--format", "csv").text
        #expect(rows.components(separatedBy: "CrossCA").count == 3)

        let serial = try #require(link.firstMatch(of: /Serial Number:\s*([0-9a-f:]+)/)?.1.replacing(":", with: ""))
        try await site.operate(
            "certificate", "revoke", "--instance", root, "--reason", "superseded", serial.uppercased())
        try await site.operate("crl", "publish", "--instance", root)
        // By the list of the key that signed it.
        let lists = try await ["", "(1)"].asyncMap { suffix in
            try await succeed([
                "openssl", "crl", "-inform", "DER", "-in", site.path("root/publish/Test Root CA\(suffix).crl"),
                "-noout",
                "-text",
            ]).text
        }
        #expect(lists.map { $0.lowercased().contains(serial) } == [true, false])
        try await site.operate("audit", "verify", "--instance", root)
    }

    @Test("A renewal of which the former key's token fails stands, and the link that is missing is made later")
    func later() async throws {
        let site = try Site.empty()
        let token = try await site.makeCard("root", profile: "softhsm2")
        let root = site.path("root")
        try await site.operate(
            "init", "root", root, "--name", "Test Root CA", "--subject", "CN=Test Root CA,O=Test", "--token-file",
            token, "--key-algorithm", "p-256", "--publication-url", "http://localhost:1")
        try site.setFaults(
            "  - {function: C_Sign, key: {label: Test Root CA}, every: 1, returns: CKR_DEVICE_ERROR}", on: "root")
        let renewed = try await site.signet("ca", "renew", "--instance", root, "--new-key")
        #expect(renewed.status == 1)
        #expect(renewed.text.contains("Renewed.") && renewed.text.contains("Test Root CA(1-0).crt"))
        #expect(renewed.stderr.contains("CKR_DEVICE_ERROR"))
        #expect(renewed.stderr.contains("signet ca link --instance \(root)"))
        try site.setFaults("", on: "root")
        let shown = try await site.operate("ca", "show", "--instance", root).text
        #expect(shown.contains("1 link certificates are missing: signet ca link --instance \(root)"))
        let linked = try await site.operate("ca", "link", "--instance", root).text
        #expect(linked == "Link: \(root)/publish/Test Root CA(0-1).crt\n")
        try await site.operate("audit", "verify", "--instance", root)
    }
}
