import Foundation
import TestSupport
import Testing

@Suite("A CA that is lost")
struct LostAuthorityTests {
    private static let isFull = ProcessInfo.processInfo.environment["SIGNET_SWEEP"] == "full"
    /// `make sweep` takes the whole size.
    private static let certificates = Self.isFull ? 10_000 : 200
    private static let archivedKeys = Self.isFull ? 500 : 3

    @Test(
        "Backed up under load and destroyed, it is restored in another place with a backup token: nothing acknowledged before is missing, and it issues, revokes and recovers"
    )
    func lost() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port, options: ["--copyable-key"])
        let issuing = site.path("issuing")
        let card = try await site.makeAgent()
        let serial = try await site.certify("before")
        let spare = try await site.makeToken("spare", beside: "issuing")
        try await site.operate("backup", "keys", "--instance", issuing, "--to", spare)
        let service = try await RunningService(site, port: port)
        let request = try await site.makeRequest("www")
        let issued = Submissions(site, port: port, request: request, to: "issued")
        try await issued.run(count: Self.certificates)
        try await Self.archive(on: site)
        let during = Submissions(site, port: port, request: request, to: "during")
        let load = try during.start(count: 0)
        try await until("requests are acknowledged") { try during.acknowledged.count >= 10 }
        let before = try issued.acknowledged.union(during.acknowledged)
        try await site.backUp(to: "full")
        // It went on beside the backup.
        let after = try during.acknowledged.count
        #expect(after > before.count - Self.certificates)
        load.signal(SIGKILL)
        _ = try await load.wait()
        #expect(try await service.stop() == 0)
        #expect(before.count >= Self.certificates + 10)

        try FileManager.default.removeItem(atPath: issuing)
        try await succeed(
            ["softhsm2-util", "--delete-token", "--token", "issuing"],
            environment: ["SOFTHSM2_CONF": site.path("issuing.conf")])
        let restored = try await site.restore(
            "full", to: "elsewhere", ["--authority-sha256", site.issuingSHA256(), "--spare-token", "ca=\(spare)"])
        // The exchange key was on the lost token: it is named, and another one is made when it is needed.
        #expect(restored.status == 2, "\(restored.text)\n\(restored.stderr)")
        #expect(restored.text.contains("CA key 0: proven pkcs11:"))
        let elsewhere = site.path("elsewhere")
        try await site.operate("audit", "verify", "--instance", elsewhere)
        let list = try await site.operate(
            "request", "list", "--instance", elsewhere, "--disposition", "issued", "--numbers", "--limit", "1000000")
        let stored = Set(list.text.split(separator: "\n").map(String.init))
        #expect(before.subtracting(stored) == [], "acknowledged before the backup")
        try await self.goOn(site, card, serial)
    }

    /// Keys on P-256, and every fiftieth an RSA one.
    private static func archive(on site: Site) async throws {
        for number in 0..<Self.archivedKeys {
            let name = "user-\(number)"
            try await site.makeArchivalRequest(
                name, format: "token-wrapped", keyAlgorithm: number % 50 == 0 ? "rsa-2048" : "p-256")
            try await site.operate(
                "request", "submit", "--instance", site.path("issuing"), "--out", site.path("\(name).crt"),
                site.path("\(name).cmc"))
        }
    }

    /// Issues, revokes, publishes, archives anew, and recovers a key that was archived before.
    private func goOn(_ site: Site, _ card: String, _ serial: String) async throws {
        let place = site.path("elsewhere")
        try await site.certify("after", instance: "elsewhere")
        try await site.operate("certificate", "revoke", "--instance", place, serial)
        try await site.operate("crl", "publish", "--instance", place)
        // The first key of each algorithm.
        for name in ["user-0", "user-1"] {
            let user = try await site.serial(of: "\(name).crt")
            try await site.operate("key", "get", "--instance", place, "--out", site.path("\(name).rec"), user)
            try await site.operate(
                "recover", "--token-file", card, "--ca-certificates", site.path("chain.pem"), "--password",
                "file:\(site.path("pin-user"))", "--out", site.path("\(name).p12"), site.path("\(name).rec"))
        }
        // The one that requests are encrypted to now.
        try FileManager.default.removeItem(atPath: site.path("exchange.crt"))
        try await site.operate("ca", "exchange", "--instance", place, "--out", site.path("exchange.crt"))
        try await site.makeArchivalRequest("later", format: "token-wrapped", instance: "elsewhere")
        try await site.operate(
            "request", "submit", "--instance", place, "--out", site.path("later.crt"), site.path("later.cmc"))
        try await site.operate("audit", "verify", "--instance", place)
    }
}

/// Requests for certificates that a client sends to the pages, over several connections, and notes when they are answered.
private struct Submissions: Sendable {
    private static let program = """
        import base64, http.client, re, ssl, sys, threading, urllib.parse
        port, roots, request, count = int(sys.argv[1]), sys.argv[2], open(sys.argv[3]).read(), int(sys.argv[4])
        body = urllib.parse.urlencode({
            'Mode': 'newreq', 'CertRequest': request, 'CertAttrib': 'CertificateTemplate:WebServer'})
        headers = {'Authorization': 'Basic ' + base64.b64encode(b"alice:alice's secret").decode(),
                   'Content-Type': 'application/x-www-form-urlencoded'}
        lock, left = threading.Lock(), [count or 1 << 30]
        def work():
            context = ssl.create_default_context(cafile=roots)
            connection = http.client.HTTPSConnection('localhost', port, context=context)
            while True:
                with lock:
                    if left[0] == 0: return
                    left[0] -= 1
                connection.request('POST', '/certsrv/certfnsh.asp', body, headers)
                answer = connection.getresponse().read().decode()
                number = re.search(r'certnew.cer\\?ReqID=(\\d+)&', answer)
                if not number: sys.exit('no certificate: ' + answer)
                with lock: print(number[1], flush=True)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """

    private let command: [String]
    private let site: Site
    private let output: String

    init(_ site: Site, port: Int, request: String, to name: String) {
        self.site = site
        self.output = name
        self.command = ["python3", "-c", Self.program, "\(port)", site.path("chain.pem"), request]
    }

    /// - Parameter count: 0 for as many as come until the client is ended.
    func start(count: Int) throws -> ChildProcess {
        try self.site.directory.write(self.output, [])
        return try ChildProcess(
            self.command + ["\(count)"], output: self.site.path(self.output), error: self.site.path("clients.err"))
    }

    func run(count: Int) async throws {
        let status = try await self.start(count: count).wait()
        let errors = String(decoding: try self.site.directory.read("clients.err"), as: UTF8.self)
        let answered = try self.acknowledged.count
        try #require(status == 0 && answered == count, "\(errors)")
    }

    /// Numbers of the requests that were answered with a certificate.
    var acknowledged: Set<String> {
        get throws {
            let text = String(decoding: try self.site.directory.read(self.output), as: UTF8.self)
            // A line that is being written has no end yet.
            return Set(text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init))
        }
    }
}
