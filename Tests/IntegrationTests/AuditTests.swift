import Foundation
import TestSupport
import Testing

@Suite("signet audit")
struct AuditTests {
    /// Changes of the database file that somebody with the disk in their hands could make; each is named with what the
    /// verification must say.
    static let tamperings: [(name: String, script: String, arguments: [String], finding: String)] = [
        (
            "one flipped bit in a detail",
            "d=bytearray(one('select details from audit where sequence=4').encode()); "
                + "d[max(i for i,c in enumerate(d) if chr(c).isdigit())]^=1; "
                + "db.execute('update audit set details=? where sequence=4',(d.decode('latin-1'),))",
            [], "chain-broken"
        ),
        (
            "one flipped bit in a hash",
            "h=bytearray(one('select hash from audit where sequence=3')); h[0]^=1; "
                + "db.execute('update audit set hash=? where sequence=3',(bytes(h),))", [], "chain-broken"
        ),
        ("one deleted row", "db.execute('delete from audit where sequence=2')", [], "entry 2 is missing"),
        (
            "one appended row without its hash",
            "db.execute('insert into audit select sequence+1,event,happened_when,who,details,hash,hash from audit "
                + "order by sequence desc limit 1')", [], "chain-broken"
        ),
        (
            "one appended row with the hash that the chain wants",
            "r=db.execute('select sequence,hash from audit order by sequence desc limit 1').fetchone(); "
                + "n=r[0]+1; w=1700000000000; who='mallory'; t=lambda x:struct.pack('>I',len(x))+x; "
                + "h=hashlib.sha256(r[1]+struct.pack('>qqi',n,w,786)+t(who.encode())).digest(); "
                + "db.execute('insert into audit values (?,?,?,?,?,?,?)',(n,786,w,who,'{}',r[1],h))",
            ["--all-signed"], "not-signed"
        ),
        (
            "a cut tail",
            "db.execute('delete from audit where sequence > (select max(sequence) - 2 from audit_head)')", [],
            "chain-cut"
        ),
        (
            "a tail that was cut with its signed heads",
            "db.execute('delete from audit where sequence > 4'); db.execute('delete from audit_head')", [],
            "use-without-event"
        ),
        (
            "a signed head of another chain",
            "s=bytearray(one('select statement_der from audit_head')); s[-1]^=1; "
                + "db.execute('update audit_head set statement_der=?',(bytes(s),))", [], "head-signature"
        ),
        (
            "a signed head that was removed", "db.execute('delete from audit_head')", [], "head-mismatch"
        ),
        (
            "a list that was removed", "db.execute('delete from revocation_list')", [], "use-without-object"
        ),
        (
            "a damaged certificate",
            "c=bytearray(one('select certificate_der from certificate where request_id=2')); c[1]^=0x40; "
                + "db.execute('update certificate set certificate_der=? where request_id=2',(bytes(c),))", [],
            "use-without-object"
        ),
        (
            "a certificate that was removed with its use, beside what went by rule",
            "db.execute('delete from intent where request_id=2'); "
                + "db.execute('delete from certificate where request_id=2')", [], "object-without-use"
        ),
        (
            "a use of the key that was removed from the ledger", "db.execute(\"delete from intent where kind='crl'\")",
            [], "object-without-use"
        ),
    ]

    private func tamper(_ instance: String, _ script: String) async throws {
        let program = """
            import sqlite3, hashlib, struct, sys
            db = sqlite3.connect(sys.argv[1] + '/signet.sqlite')
            one = lambda sql: db.execute(sql).fetchone()[0]
            \(script)
            db.commit()
            """
        try await succeed(["python3", "-c", program, instance])
    }

    @Test("Whatever is changed, deleted, appended or cut in the database is found")
    func tampering() async throws {
        let site = try Site.empty()
        try await site.makeRoot()
        try await site.operate(
            "request", "submit", "--instance", site.path("root"), "--template", "WebServer", site.makeRequest("www"))
        // Rows that went by rule are no excuse for others.
        let refused = try await site.signet(
            "request", "submit", "--instance", site.path("root"), "--template", "Nothing", site.makeRequest("no"))
        #expect(refused.status != 0)
        let pruned = try await site.operate(
            "database", "prune", "--instance", site.path("root"), "--failed-before", "2100-01-01")
        #expect(pruned.text.contains(": 1 deleted"))
        try await site.operate("audit", "sign", "--instance", site.path("root"))
        let sound = try await site.operate("audit", "verify", "--all-signed", "--instance", site.path("root"))
        #expect(sound.text.contains("Audit chain verifies"))
        #expect(sound.text.contains(/Signed heads: 1/))
        for (name, script, arguments, finding) in Self.tamperings {
            let copy = site.path("copy")
            try FileManager.default.copyItem(atPath: site.path("root"), toPath: copy)
            try await self.tamper(copy, script)
            let result = try await run([Programs.signet, "audit", "verify", "--instance", copy] + arguments)
            #expect(result.status == 1, Comment(rawValue: name))
            #expect(result.stderr.contains(finding), Comment(rawValue: "\(name): \(result.stderr)"))
            #expect(result.stderr.contains("0x80091007"), Comment(rawValue: name))
            try FileManager.default.removeItem(atPath: copy)
        }
    }

    @Test("An exported file verifies without the instance, and not when a bit, a line or the tail is gone")
    func exported() async throws {
        let site = try Site.empty()
        try await site.makeRoot()
        try await site.operate("audit", "sign", "--instance", site.path("root"))
        try await site.operate("audit", "export", "--instance", site.path("root"), site.path("trail"))
        let certificate = site.path("root/publish/Test Root CA.crt")
        func verify(_ lines: [String], _ arguments: String...) async throws -> ToolResult {
            let file = try site.directory.write("changed", Array(lines.joined(separator: "\n").utf8))
            return try await run(
                [Programs.signet, "audit", "verify", "--file", file, "--ca-certificate", certificate] + arguments)
        }
        let text = String(decoding: try site.directory.read("trail"), as: UTF8.self)
        let lines = text.split(separator: "\n").map(String.init)
        let sound = try await verify(lines)
        #expect(sound.status == 0, Comment(rawValue: sound.stderr))
        let head = try #require(sound.text.firstMatch(of: /head (\d+:[0-9a-f]{64})/)?.1)
        #expect(try await verify(lines, "--expect-head", String(head)).status == 0)
        let attributes = try FileManager.default.attributesOfItem(atPath: site.path("trail"))
        #expect(attributes[.posixPermissions] as? NSNumber == 0o600)

        var flipped = lines
        flipped[3] = flipped[3].replacingOccurrences(of: "\"who\":\"", with: "\"who\":\"x")
        #expect(try await verify(flipped).stderr.contains("chain-broken"))
        var deleted = lines
        deleted.remove(at: 4)
        #expect(try await verify(deleted).stderr.contains("is missing"))
        #expect(try await verify(Array(lines.dropLast(3))).stderr.contains("chain-cut"))
        // Cut with its signed heads and its header: only what was kept elsewhere tells.
        var rewritten = lines.filter { !$0.contains("\"statement\"") }
        rewritten.removeLast(3)
        let count = rewritten.count - 1
        rewritten[0] = "{\"format\":\"signet-audit-1\",\"heads\":0,\"entries\":\(count)}"
        #expect(try await verify(rewritten).status == 0)
        #expect(try await verify(rewritten, "--expect-head", String(head)).stderr.contains("chain-cut"))
        #expect(try await verify(Array(lines.dropFirst())).stderr.contains("Line 1"))
        #expect(try await verify(["nonsense"]).status == 1)
        // Another CA's certificate does not vouch for it.
        let other = try Site.empty()
        try await other.makeRoot()
        let foreign = try await run([
            Programs.signet, "audit", "verify", "--file", site.path("trail"), "--ca-certificate",
            other.path("root/publish/Test Root CA.crt"),
        ])
        #expect(foreign.stderr.contains("head-signature"))
    }

    @Test("The filter is set by words or a number, shown, and its change recorded as 789")
    func filter() async throws {
        let site = try Site.empty()
        try await site.makeRoot()
        let instance = site.path("root")
        try await site.operate("audit", "filter", "set", "--instance", instance, "security", "requests")
        let shown = try await site.operate("audit", "filter", "show", "--instance", instance).text
        #expect(shown.contains("Filter: 20") && shown.contains("revocation (8): not recorded"))
        try await site.operate("audit", "filter", "set", "--instance", instance, "127")
        let trail = try await site.operate("audit", "show", "--text", "--instance", instance, "--limit", "1000").text
        #expect(trail.contains("789") && trail.contains("The audit filter for Certificate Services changed. Filter=20"))
        #expect(try await run([Programs.signet, "audit", "filter", "set", "--instance", instance, "128"]).status == 64)
    }
}
