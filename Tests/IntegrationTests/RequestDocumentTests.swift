import Foundation
import TestSupport
import Testing

@Suite("docs/requests.md")
struct RequestDocumentTests {
    @Test("Every command of the document runs, and the queue ends as it says")
    func document() async throws {
        let site = try await Site.issuing()
        let script = try Programs.script(ofDocument: "requests.md")
        #expect(script.contains("signet request submit"))
        let work = site.path("work")
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: false)
        let result = try await run(
            ["bash", "-c", "set -eu; cd '\(work)'\n" + script],
            environment: [
                "SIGNET_INSTANCE": site.path("issuing"), "PATH": Programs.searchPath,
                "REQUESTER_TOKEN": try await site.makeToken("requester"),
            ])
        #expect(result.status == 0, "\(result.text)\n\(result.stderr)")
        #expect(result.text.contains("Resubmitted by "))
        #expect(result.text.contains("Certificate request is pending: Taken Under Submission"))
        #expect(result.text.contains("subject=CN = Recovery agent 1"))
        let text = try await succeed([
            "openssl", "x509", "-in", "\(work)/agent.crt", "-noout", "-text",
        ]).text
        #expect(text.contains("1.3.6.1.4.1.99999.1"))
        let mode = try FileManager.default.attributesOfItem(atPath: "\(work)/agent.der")[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try await self.judgeRequester(site, work)
        // Never overwritten.
        let again = try await site.signet(
            "request", "export", "--instance", site.path("issuing"), "--column", "RawCertificate", "--out",
            "\(work)/agent.der", "2")
        #expect(again.status != 0)
        // The formats are those of other programs.
        let judge = try await run(
            [
                "python3", "-c",
                """
                import csv, io, json, subprocess, sys
                def signet(*a): return subprocess.check_output([sys.argv[1], 'request', *a], text=True)
                rows = json.loads(signet('list', '--columns', 'all', '--format', 'json'))
                table = list(csv.reader(io.StringIO(signet('list', '--columns', 'all', '--format', 'csv'))))
                assert len(table) == len(rows) + 1 and all(len(line) == len(rows[0]) for line in table)
                assert 'Archived Key' in table[0] and rows[0]['RawArchivedKey'] is None
                kra = [r for r in rows if r['CommonName'] == 'Recovery agent 1'][0]
                assert kra['Disposition'] == 20 and 'Room:7' in kra['RequestAttributes'], kra
                """, Programs.signet,
            ], environment: ["SIGNET_INSTANCE": site.path("issuing")])
        #expect(judge.status == 0, "\(judge.stderr)")
        try await site.operate("audit", "verify", "--instance", site.path("issuing"))
    }

    /// What the requester's part of the document leaves.
    private func judgeRequester(_ site: Site, _ work: String) async throws {
        let names = ["shop", "mail", "mail-2", "shop-2", "bob", "carol"]
        for name in names {
            try await succeed(["openssl", "verify", "-CAfile", "\(work)/ca.pem", "\(work)/\(name).crt"])
        }
        for (name, principal) in [("bob", "bob@example.test"), ("carol", "carol@example.test")] {
            let parsed = try await succeed([
                "python3", "-W", "ignore", "-c",
                """
                import sys
                from cryptography import x509
                c = x509.load_pem_x509_certificate(open(sys.argv[1], 'rb').read())
                n = c.extensions.get_extension_for_oid(x509.ObjectIdentifier('2.5.29.17')).value
                print([o.value[2:].decode() for o in n if isinstance(o, x509.OtherName)])
                """, "\(work)/\(name).crt",
            ])
            #expect(parsed.text.contains(principal))
        }
        // The renewal for the same key is one, and the other is not.
        let keys = try await ["shop", "shop-2", "mail", "mail-2"].asyncMap { name in
            try await succeed(["openssl", "x509", "-in", "\(work)/\(name).crt", "-noout", "-pubkey"]).text
        }
        #expect(keys[0] == keys[1] && keys[2] != keys[3])
        // openssl takes the renewal's signature out of the message, and the PKCS #10 in it.
        try await succeed(["openssl", "req", "-inform", "DER", "-in", "\(work)/mail-2.p10", "-noout", "-verify"])
        let objects = try await site.objects(on: "requester")
        #expect(objects.components(separatedBy: "Certificate Object").count == 3)
        #expect(objects.components(separatedBy: "Private Key Object").count == 5)
    }
}
