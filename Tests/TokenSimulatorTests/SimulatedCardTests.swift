import TestSupport
import Testing

/// The simulator as any PKCS #11 program meets it: `pkcs11-tool`, a process for each call, SoftHSM inside.
@Suite("A card made of SoftHSM")
struct SimulatedCardTests {
    @Test("Without a rule for the token, slots, mechanisms and objects are those of the bare module")
    func transparent() async throws {
        let card = try await SimulatedCard(profile: nil)
        _ = try await card.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "one", "--id", "01")
        for arguments in [["-L"], ["-M"], ["-O"]] {
            let simulated = try await card.tool(arguments[0])
            let bare = try await card.bareTool(arguments[0])
            #expect(simulated.sortedLines == bare.sortedLines)
            #expect(simulated.status == bare.status)
            #expect(!simulated.text.isEmpty)
        }
    }

    @Test("C_GetInfo says that this is a simulation, and of what")
    func libraryInfo() async throws {
        let card = try await SimulatedCard(profile: "generic-8k-smartcard")
        let answer = try await run(["pkcs11-tool", "--module", card.modulePath, "-I"], environment: card.environment)
        #expect(answer.text.contains("Library          Signet token simulator: Implemen (ver 2.6)"))
        #expect(answer.text.contains("Manufacturer     SoftHSM"))
    }

    @Test("An 8 KB card takes ten P-256 pairs, counted over processes, and answers the eleventh as its profile says")
    func fillsUp() async throws {
        let card = try await SimulatedCard(profile: "generic-8k-smartcard")
        for number in 1...10 {
            let made = try await card.tool(
                "--keypairgen", "--key-type", "EC:prime256v1", "--label", "k\(number)", "--id", "\(number + 10)")
            #expect(made.status == 0, "pair \(number): \(made.stderr)")
        }
        let before = try await card.bareTool("-O").sortedLines
        let refused = try await card.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "k11")
        #expect(refused.stderr.contains("C_GenerateKeyPair failed: rv = CKR_GENERAL_ERROR (0x5)"))
        #expect(try await card.bareTool("-O").sortedLines == before)
        #expect(
            try card.ledger().split(separator: "\n").dropFirst(2)
                == ["10 private-key p256 0 private", "10 public-key p256 0 public"])
    }

    @Test("Processes that write at the same time share what is left: of six pairs three fit")
    func processesTogether() async throws {
        // 3500 bytes are reserved, a pair takes 440.
        let card = try await SimulatedCard(profile: "generic-8k-smartcard", overrides: ["capacity.bytes": "4820"])
        let results = try await withThrowingTaskGroup(of: ToolResult.self) { group in
            for number in 1...6 {
                group.addTask {
                    // SoftHSM rewrites its token file at each login, and a process that reads it meanwhile finds no
                    // token: that process has not asked the card yet.
                    var made: ToolResult
                    var tries = 0
                    repeat {
                        tries += 1
                        made = try await card.tool(
                            "--keypairgen", "--key-type", "EC:prime256v1", "--label", "k\(number)")
                    } while tries < 20
                        && (made.stderr.contains("No slot with token") || made.stderr.contains("CKR_GENERAL_ERROR")
                            || made.stderr.contains("CKR_USER_PIN_NOT_INITIALIZED"))
                    return made
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count { $0.status == 0 } == 3)
        #expect(results.count { $0.stderr.contains("rv = CKR_DEVICE_MEMORY (0x31)") } == 3, "\(results.map(\.stderr))")
        #expect(try card.ledger().contains("3 private-key p256 0 private\n3 public-key p256 0 public\n"))
    }

    @Test("What is removed gives its room back, past the simulator too")
    func removal() async throws {
        let card = try await SimulatedCard(profile: "generic-8k-smartcard", overrides: ["capacity.bytes": "3940"])
        let generate = { (label: String) in
            try await card.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", label, "--id", "01")
        }
        #expect(try await generate("a").status == 0)
        #expect(try await generate("b").stderr.contains("CKR_DEVICE_MEMORY"))
        for type in ["privkey", "pubkey"] {
            #expect(try await card.tool("--delete-object", "--type", type, "--id", "01").status == 0)
        }
        #expect(try await generate("b").status == 0)
        for type in ["privkey", "pubkey"] {
            _ = try await card.bareTool("--delete-object", "--type", type, "--id", "01")
        }
        #expect(try await generate("c").status == 0)
    }

    @Test("RSA-4096 on an 8 KB card gives CKR_DEVICE_MEMORY and leaves the private key without its public key")
    func orphan() async throws {
        let card = try await SimulatedCard(profile: "generic-8k-smartcard")
        let refused = try await card.tool("--keypairgen", "--key-type", "rsa:4096", "--label", "big", "--id", "01")
        #expect(refused.stderr.contains("C_GenerateKeyPair failed: rv = CKR_DEVICE_MEMORY (0x31)"))
        let objects = try await card.bareTool("-O").text
        #expect(objects.contains("Private Key Object; RSA"))
        #expect(!objects.contains("Public Key Object"))
        #expect(try card.ledger().hasSuffix("1 private-key rsa4096 0 private\n"))
    }

    @Test("With residue none the same leaves nothing")
    func noResidue() async throws {
        let card = try await SimulatedCard(
            profile: "generic-8k-smartcard",
            overrides: ["capacity.residue": "none", "capacity.full_rv.keygen": "FUNCTION_FAILED"])
        let refused = try await card.tool("--keypairgen", "--key-type", "rsa:4096", "--label", "big", "--id", "01")
        #expect(refused.stderr.contains("C_GenerateKeyPair failed: rv = CKR_FUNCTION_FAILED (0x6)"))
        #expect(try await card.bareTool("-O").text.isEmpty)
    }

    @Test("A private object takes room for a process that has not logged in and cannot see it")
    func privateObjects() async throws {
        let card = try await SimulatedCard(profile: "generic-8k-smartcard", overrides: ["capacity.bytes": "3950"])
        let file = try card.directory.write("data", [UInt8](repeating: 1, count: 100))
        #expect(try await card.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "a").status == 0)
        let refused = try await card.tool(
            "--write-object", file, "--type", "data", "--label", "note", login: false)
        #expect(refused.stderr.contains("CKR_DEVICE_MEMORY"))
        #expect(try await !card.bareTool("-O").text.contains("Data object"))
    }

    @Test("A certificate is refused when its directory is full, with the code of the directory")
    func certificateDirectory() async throws {
        let card = try await SimulatedCard(profile: "generic-8k-smartcard", overrides: ["capacity.dir.cdf": "50"])
        let certificate = card.directory.path("certificate.der")
        let made = try await run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            card.directory.path("key.pem"), "-subj", "/CN=x", "-outform", "DER", "-out", certificate,
        ])
        #expect(made.status == 0)
        let first = try await card.tool("--write-object", certificate, "--type", "cert", "--label", "1", "--id", "01")
        #expect(first.status == 0, "\(first.stderr)")
        let second = try await card.tool("--write-object", certificate, "--type", "cert", "--label", "2", "--id", "02")
        #expect(second.stderr.contains("C_CreateObject failed: rv = CKR_GENERAL_ERROR (0x5)"))
    }

    @Test("A fault makes the n-th call fail: instead of the work, or after it")
    func faults() async throws {
        let before = try await SimulatedCard(
            profile: nil, faults: ["{function: C_GenerateKeyPair, call: 1, returns: DEVICE_MEMORY}"])
        let refused = try await before.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "a")
        #expect(refused.stderr.contains("C_GenerateKeyPair failed: rv = CKR_DEVICE_MEMORY (0x31)"))
        #expect(try await before.bareTool("-O").text.isEmpty)

        let after = try await SimulatedCard(
            profile: nil, faults: ["{function: C_GenerateKeyPair, call: 1, returns: DEVICE_ERROR, after: true}"])
        let spoiled = try await after.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "a")
        #expect(spoiled.stderr.contains("C_GenerateKeyPair failed: rv = CKR_DEVICE_ERROR (0x30)"))
        #expect(try await after.bareTool("-O").text.contains("Private Key Object; EC"))
    }

    @Test("The library shows the functions that give out its tables and nothing else")
    func symbols() async throws {
        let symbols = try await run(["nm", "-D", "--defined-only", "--extern-only", SimulatorLibrary.path()])
        let names = symbols.text.split(separator: "\n").compactMap { $0.split(separator: " ").last.map(String.init) }
        #expect(names == ["C_GetFunctionList", "C_GetInterface", "C_GetInterfaceList"])
    }
}

extension ToolResult {
    /// SoftHSM gives its objects in another order each time.
    fileprivate var sortedLines: [Substring] {
        self.text.split(separator: "\n").sorted()
    }
}
