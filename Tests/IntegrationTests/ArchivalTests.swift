import Foundation
import TestSupport
import Testing

extension Site {
    /// An agent on a 32 KB card whose certificate is installed, and the exchange certificate in `exchange.crt`.
    ///
    /// - Returns: the card's description for `--token-file`.
    func makeAgent(profile: String = "generic-32k-smartcard") async throws -> String {
        try await self.makeAgent(on: self.makeCard("card", profile: profile))
    }

    /// - Parameter card: the description of its token.
    func makeAgent(on card: String) async throws -> String {
        let issuing = self.path("issuing")
        try await self.operate("kra", "enroll", "--instance", issuing, "--token-file", card, "--name", "Agent")
        let number = try await self.pendingRequest()
        try await self.operate("request", "approve", "--instance", issuing, number)
        try await self.operate("kra", "accept", "--instance", issuing, "--token-file", card, "--request", number)
        try await self.operate("kra", "add", "--instance", issuing, "--request", number)
        try await self.operate("ca", "exchange", "--instance", issuing, "--out", self.path("exchange.crt"))
        return card
    }

    func pendingRequest() async throws -> String {
        let list = try await self.operate(
            "request", "list", "--instance", self.path("issuing"), "--disposition", "pending", "--numbers")
        return list.text.split(separator: "\n").first.map(String.init) ?? ""
    }

    /// A CMC request that carries its key, in `NAME.cmc`, and the key in `NAME.key`.
    func makeArchivalRequest(
        _ name: String, format: String, keyAlgorithm: String = "rsa-2048", instance: String = "issuing"
    ) async throws {
        try self.secret("key password", to: "\(name).password")
        try await self.operate(
            "request", "new", "--archive", "--template", "User", "--subject", "CN=\(name)", "--exchange-certificate",
            self.path("exchange.crt"), "--ca-certificates", self.path("chain.pem"), "--crl",
            self.path("\(instance)/publish/Test Issuing CA.crl"), "--key-format", format, "--key-algorithm",
            keyAlgorithm, "--out", self.path("\(name).cmc"), "--key-out", self.path("\(name).key"), "--key-password",
            "file:\(self.path("\(name).password"))")
    }
}

@Suite("Archival and recovery, on the command line")
struct ArchivalTests {
    @Test(
        "A lost key is recovered with the agent's card and opens what was encrypted to it",
        arguments: ["token-wrapped", "cms-aes", "microsoft-2003"])
    func recovery(format: String) async throws {
        let site = try await Site.issuing()
        let card = try await site.makeAgent()
        try await site.makeArchivalRequest("alice", format: format)
        let issuing = site.path("issuing")
        try await site.operate(
            "request", "submit", "--instance", issuing, "--out", site.path("alice.crt"), "--response-out",
            site.path("alice.rsp"), site.path("alice.cmc"))
        try site.directory.write("message", Array("the message".utf8))
        try await succeed([
            "openssl", "cms", "-encrypt", "-aes256", "-in", site.path("message"), "-outform", "DER", "-out",
            site.path("message.cms"), site.path("alice.crt"),
        ])
        try FileManager.default.removeItem(atPath: site.path("alice.key"))

        let serial = try await site.serial(of: "alice.crt")
        let found = try await site.operate("key", "find", "--instance", issuing, serial)
        #expect(found.text.contains("Serial Number: \(serial)\n"))
        #expect(found.text.contains("UPN: ") && found.text.hasSuffix("1 archived key\n"))
        try await site.operate("key", "get", "--instance", issuing, "--out", site.path("blob"), serial)
        try await self.readByOpenSSL(site)
        try await self.agentsAndRefusals(site, card: card, serial: serial)
        try await site.operate(
            "recover", "--timeout", "0", "--token-file", card, "--ca-certificates", site.path("chain.pem"), "--out",
            site.path("alice.p12"), "--password", "file:\(site.path("alice.password"))", site.path("blob"))
        try await succeed([
            "openssl", "pkcs12", "-in", site.path("alice.p12"), "-passin", "file:\(site.path("alice.password"))",
            "-nodes", "-out", site.path("alice.pem"),
        ])
        let decrypted = try await succeed([
            "openssl", "cms", "-decrypt", "-inform", "DER", "-in", site.path("message.cms"), "-recip",
            site.path("alice.crt"), "-inkey", site.path("alice.pem"),
        ])
        #expect(decrypted.text.contains("the message"))
        try await self.checkTrail(site)
        try await self.noKeyOnDisk(site)
    }

    /// Without a file the agents are told; no file is overwritten; a card that cannot open the blob is not asked for a PIN.
    private func agentsAndRefusals(_ site: Site, card: String, serial: String) async throws {
        let issuing = site.path("issuing")
        let agents = try await site.operate("key", "get", "--instance", issuing, serial).text
        #expect(agents.contains("can be opened by:") && agents.contains("CN=Agent, serial number "))
        let again = try await site.signet("key", "get", "--instance", issuing, "--out", site.path("blob"), serial)
        #expect(again.status == 1 && again.stderr.contains("0x80070050"), "\(again.stderr)")
        let wrong = try await site.signet(
            "recover", "--token-file", site.path("issuing.yaml"), "--pin", "file:/nowhere", "--ca-certificates",
            site.path("chain.pem"), "--out", site.path("none.p12"), "--password", "generate", site.path("blob"))
        #expect(wrong.status == 1 && wrong.stderr.contains("0x8009000d"), "\(wrong.stderr)")
        #expect(wrong.text.contains("Key of: ") && wrong.text.contains("CN=Agent, serial number "))
        #expect(!FileManager.default.fileExists(atPath: site.path("none.p12")))
    }

    /// Request, response and recovery blob are CMS that openssl can print.
    private func readByOpenSSL(_ site: Site) async throws {
        let request = try await succeed(["openssl", "base64", "-d"], input: site.base64Body("alice.cmc")).stdout
        try site.directory.write("alice.cmc.der", request)
        for (name, type) in [
            ("alice.cmc.der", "1.3.6.1.5.5.7.12.2"), ("alice.rsp", "1.3.6.1.5.5.7.12.3"), ("blob", "pkcs7-data"),
        ] {
            let printed = try await succeed([
                "openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", site.path(name),
            ]).text
            #expect(printed.contains("contentType: pkcs7-signedData"))
            #expect(printed.contains(type), "\(name)")
        }
    }

    private func checkTrail(_ site: Site) async throws {
        let trail = try await site.operate("audit", "show", "--instance", site.path("issuing"), "--limit", "1000").text
        #expect(trail.contains(" 797 ") && trail.contains(" 787 "))
        try await site.operate("audit", "verify", "--instance", site.path("issuing"))
        let mode = try FileManager.default.attributesOfItem(atPath: site.path("alice.p12"))[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    /// No private component of a CA, exchange or agent key is in any file of the instances. The tokens' own
    /// directories are the tokens.
    private func noKeyOnDisk(_ site: Site) async throws {
        for instance in ["root", "issuing"] {
            let files = try FileManager.default.subpathsOfDirectory(atPath: site.path(instance))
            for file in files {
                let bytes = FileManager.default.contents(atPath: site.path("\(instance)/\(file)")) ?? Data()
                #expect(bytes.range(of: Data("PRIVATE KEY".utf8)) == nil, "\(instance)/\(file)")
            }
        }
    }

    @Test("Without an agent a key is not archived and nothing is issued: 0x8009400A")
    func noAgent() async throws {
        let site = try await Site.issuing()
        try await site.operate("ca", "exchange", "--instance", site.path("issuing"), "--out", site.path("exchange.crt"))
        try await site.makeArchivalRequest("alice", format: "token-wrapped")
        let result = try await site.signet(
            "request", "submit", "--instance", site.path("issuing"), "--out", site.path("alice.crt"),
            site.path("alice.cmc"))
        #expect(result.status == 1)
        #expect(result.stderr.contains("0x8009400a CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED"))
        #expect(!FileManager.default.fileExists(atPath: site.path("alice.crt")))
        try await site.operate("audit", "verify", "--instance", site.path("issuing"))
    }

    @Test("A revoked exchange certificate gets no private key, and one whose status nobody can tell neither")
    func revokedExchangeCertificate() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        try await site.operate("ca", "exchange", "--instance", issuing, "--out", site.path("exchange.crt"))
        let serial = try await site.serial(of: "exchange.crt")
        try await site.operate("certificate", "revoke", "--instance", issuing, "--reason", "keyCompromise", serial)
        try await site.operate("crl", "publish", "--instance", issuing)
        let error = await #expect(throws: UnexpectedStatus.self) {
            try await site.makeArchivalRequest("alice", format: "cms-aes")
        }
        #expect("\(String(describing: error))".contains("it is revoked"))
        #expect(!FileManager.default.fileExists(atPath: site.path("alice.key")))
        // The CA makes another one, because nobody can use this one any more.
        try FileManager.default.removeItem(atPath: site.path("exchange.crt"))
        try await site.operate("ca", "exchange", "--instance", issuing, "--out", site.path("exchange.crt"))
        try await #expect(site.serial(of: "exchange.crt") != serial)
        try await site.makeArchivalRequest("alice", format: "cms-aes")
    }

    @Test("An exchange certificate that another CA signed gets no private key")
    func foreignExchangeCertificate() async throws {
        let site = try await Site.issuing()
        try await succeed([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", site.path("foreign.key"), "-out",
            site.path("exchange.crt"), "-subj", "/CN=Test Issuing CA-Xchg",
        ])
        await #expect(throws: UnexpectedStatus.self) { try await site.makeArchivalRequest("alice", format: "cms-aes") }
        #expect(!FileManager.default.fileExists(atPath: site.path("alice.cmc")))
        #expect(!FileManager.default.fileExists(atPath: site.path("alice.key")))
    }
}

extension Site {
    /// A certificate's serial number, as openssl prints it.
    func serial(of name: String) async throws -> String {
        let text = try await succeed(["openssl", "x509", "-in", self.path(name), "-noout", "-serial"]).text
        return String(text.trimmingCharacters(in: .whitespacesAndNewlines).dropFirst("serial=".count))
    }

    /// The base64 lines of a PEM file.
    func base64Body(_ name: String) throws -> [UInt8] {
        let text = String(decoding: try self.directory.read(name), as: UTF8.self)
        return Array(text.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined(separator: "\n").utf8) + [0x0A]
    }
}
