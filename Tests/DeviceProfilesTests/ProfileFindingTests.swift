import DeviceProfiles
import Testing

/// One mistake in an otherwise good profile.
struct Mistake: Sendable, CustomTestStringConvertible {
    let yaml: String
    let field: String
    let reason: String
    let line: Int

    var testDescription: String { "\(self.field): \(self.reason)" }

    init(_ yaml: String, _ field: String, _ reason: String, line: Int = 6) {
        self.yaml = yaml
        self.field = field
        self.reason = reason
        self.line = line
    }

    static let all = [
        Mistake("capacity: {byte: 1}", "capacity.byte", "there is no such field; did you mean \"bytes\"?"),
        Mistake("capacities: {bytes: 1}", "capacities", "there is no such field; did you mean \"capacity\"?"),
        Mistake(
            "latency: {sign_rsa4096: 1}", "latency.sign_rsa4096",
            "there is no such field; did you mean \"sign_rsa2048\"?"),
        Mistake(
            "capacity: {bytes: many}", "capacity.bytes",
            "\"many\" is not a number of bytes, \"disk\", \"partition\", \"host\" or \"unknown\""),
        Mistake("capacity: {bytes: -5}", "capacity.bytes", "-5 is negative"),
        Mistake("capacity: {bytes: 0}", "capacity.bytes", "0 is less than 1"),
        Mistake("capacity: {max_objects: [1]}", "capacity.max_objects", "is a list, not a whole number"),
        Mistake("capacity: {max_objects: '12'}", "capacity.max_objects", "is a quoted text, not a whole number"),
        Mistake("capacity: {max_objects: 1.5}", "capacity.max_objects", "\"1.5\" is not a whole number"),
        Mistake("capacity: {mem_reported: -2}", "capacity.mem_reported", "-2 is negative"),
        Mistake("capacity: {bytes: 10, reserved: 11}", "capacity.reserved", "11 is more than bytes, which is 10"),
        Mistake(
            "capacity: {cost: {dsa: 5}}", "capacity.cost.dsa",
            "is not a key pair algorithm such as rsa2048, p256, p384 or p521"),
        Mistake("capacity: {dir: {prkd: 5}}", "capacity.dir.prkd", "there is no such field; did you mean \"prkdf\"?"),
        Mistake(
            "capacity: {full_rv: {keygen: DEVICE_MEMROY}}", "capacity.full_rv.keygen",
            "there is no return value CKR_DEVICE_MEMROY, the nearest is CKR_DEVICE_MEMORY"),
        Mistake(
            "capacity: {residue: some}", "capacity.residue", "\"some\" is not one of none, orphan-key, lost-object"),
        Mistake("capacity: 7", "capacity", "is \"7\", not a mapping of names to values"),
        Mistake("login: {pin_min: 8, pin_max: 4}", "login.pin_max", "4 is less than pin_min, which is 8"),
        Mistake("login: {always_auth: yes}", "login.always_auth", "\"yes\" is not one of no, per-key"),
        Mistake("sessions: {over_rv: ''}", "sessions.over_rv", "is empty"),
        Mistake("match: {model: '('}", "match.model", "\"(\" is not a regular expression"),
        Mistake(
            "mechanisms: {oaep: [SHA1]}", "mechanisms.oaep[0]",
            "\"SHA1\" is not one of SHA_1, SHA224, SHA256, SHA384, SHA512"),
        Mistake(
            "mechanisms: {wrap_private: AES}", "mechanisms.wrap_private",
            "is \"AES\", not a list such as [A, B]"),
        Mistake(
            "mechanisms: {wrap_private: [aes]}", "mechanisms.wrap_private[0]",
            "\"aes\" is not a name such as CKM_AES_GCM"),
        Mistake(
            "mechanisms: {allow: ['RSA:9-2']}", "mechanisms.allow[0]",
            "\"9-2\" is not a range of key sizes such as 1024-3072"),
        Mistake("template: {session_objects: 1}", "template.session_objects", "is \"1\", not true or false"),
        Mistake("latency: {open: fast}", "latency.open", "\"fast\" is not a number of milliseconds"),
        Mistake("latency: {open: -1.5}", "latency.open", "-1.5 is negative"),
        Mistake(
            "latency: {open: {valeu: 1}}", "latency.open.valeu",
            "there is no such field; did you mean \"value\"?"),
        Mistake(
            "latency: {evidence: guess, open: 1}", "latency.evidence",
            "\"guess\" is not one of measured, code, doc, derived"),
    ]
}

@Suite("What is wrong with a profile is named")
struct ProfileFindingTests {
    static let head = "name: example\nsummary: An example\nevidence: measured\nsource: a test\n\n"

    func findings(_ yaml: String) -> [ProfileFinding] {
        do throws(ProfileError) {
            _ = try DeviceProfile(yaml: yaml, file: "example.yaml")
            return []
        } catch {
            #expect(error.code == .invalid)
            #expect(!error.advice.isEmpty)
            return error.findings
        }
    }

    @Test("A wrong field is named with file, line, path and reason", arguments: Mistake.all)
    func wrongField(_ mistake: Mistake) {
        let expected = ProfileFinding(
            file: "example.yaml", line: mistake.line, field: mistake.field, reason: mistake.reason)
        #expect(self.findings(Self.head + mistake.yaml).contains(expected))
    }

    @Test("All findings are given, in the order of the file")
    func allFindings() {
        let found = self.findings(Self.head + "sessions:\n  max: -1\n  scope: town\nlogin:\n  pin_min: x\n")
        #expect(found.map(\.field) == ["sessions.max", "sessions.scope", "login.pin_min"])
        #expect(found.map(\.line) == [7, 8, 10])
    }

    @Test("A value without evidence or without a source for it is refused")
    func missingEvidence() {
        let found = self.findings("name: x\nsummary: x\nlatency: {open: 1, login: unknown}\n")
        #expect(found.map(\.reason) == ["has no evidence", "has no source for its evidence"])
        #expect(found.allSatisfy { $0.field == "latency.open" })
        let half = self.findings("name: x\nsummary: x\nlatency: {open: {value: 1, evidence: doc}}\n")
        #expect(half.map(\.reason) == ["has no source for its evidence"])
    }

    @Test("A profile without a name or summary is refused")
    func missingName() {
        #expect(
            self.findings("evidence: doc\nsource: x\n").map(\.description) == [
                "example.yaml:1: name: is missing", "example.yaml:1: summary: is missing",
            ])
    }

    @Test(
        "A text that is no YAML mapping is refused with its line",
        arguments: [
            ("a: [", 2), ("- 1\n", 1), ("name: x\nname: y\n", 1), ("\"", 1),
        ])
    func notYAML(_ text: String, line: Int) {
        #expect {
            try DeviceProfile(yaml: text, file: "example.yaml")
        } throws: { error in
            guard let error = error as? ProfileError else { return false }
            return error.code == .notYAML && error.findings.first?.file == "example.yaml"
                && error.findings.first?.line == line
        }
    }

    @Test("Truncated and damaged profiles give a ProfileError or a profile, never anything else")
    func damaged() throws {
        let text = Self.head + "capacity:\n  bytes: 7936\n  cost: {rsa2048: 2300}\n  dir: {prkdf: 500}\n"
        let bytes = Array(text.utf8)
        for index in bytes.indices {
            var flipped = bytes
            flipped[index] ^= 1 << UInt8(index % 7)
            for variant in [Array(bytes[..<index]), flipped] {
                do throws(ProfileError) {
                    _ = try DeviceProfile(yaml: String(decoding: variant, as: UTF8.self), file: "example.yaml")
                } catch {
                    #expect(!error.findings.isEmpty)
                }
            }
        }
    }
}
