import DeviceProfiles
import Diagnostics
import TestSupport
import Testing

@Suite("Reading device profiles")
struct DeviceProfileTests {
    static let text = """
        name: example
        summary: An example
        evidence: measured
        source: a test
        sessions: unknown
        capacity:
          evidence: doc
          source: a data sheet
          bytes: 0x1000
          max_objects: {value: 0, evidence: code, source: driver.c}
          cost: {evidence: derived, source: a formula, rsa2048: 2300, p256: unknown}
          full_rv: {keygen: CKR_DEVICE_MEMORY, create: 0x80000001, setattr: OK}
        mechanisms:
          allow: [RSA:1024-3072, "AES_GCM::ENCRYPT+DECRYPT", ECDSA]
          wrap_private: []
        """

    let profile: DeviceProfile

    init() throws {
        self.profile = try DeviceProfile(yaml: Self.text, file: "example.yaml")
    }

    @Test("A value carries its own evidence, or that of the nearest section around it")
    func evidence() {
        let capacity = self.profile.capacity
        let sheet = Provenance(evidence: .doc, source: "a data sheet")
        #expect(capacity.bytes == .known(.bytes(4096), sheet))
        #expect(capacity.maximumObjects == .known(.unlimited, Provenance(evidence: .code, source: "driver.c")))
        #expect(
            capacity.pairCosts[.rsa(modulusBits: 2048)]
                == .known(2300, Provenance(evidence: .derived, source: "a formula")))
        #expect(self.profile.mechanisms.wrapPrivate == .known([], Provenance(evidence: .measured, source: "a test")))
    }

    @Test("A value that is absent or called unknown is unknown")
    func unknown() {
        #expect(self.profile.sessions == DeviceProfile.Sessions())
        #expect(self.profile.capacity.pairCosts[.p256] == .unknown)
        #expect(self.profile.capacity.reserved == .unknown)
    }

    @Test("Return values are taken by name and by number")
    func returnValues() {
        let full = self.profile.capacity.full
        #expect(full.keyGeneration.value == .deviceMemory)
        #expect(full.create.value == ReturnValue(rawValue: 0x8000_0001))
        #expect(full.setAttribute.value == .ok)
    }

    @Test("An entry of the allow list has a name, key sizes and flags")
    func allowList() {
        #expect(
            self.profile.mechanisms.allow.value == [
                .init(name: "RSA", keySizes: 1024...3072, flags: []),
                .init(name: "AES_GCM", keySizes: nil, flags: ["ENCRYPT", "DECRYPT"]),
                .init(name: "ECDSA", keySizes: nil, flags: []),
            ])
    }

    @Test("An override replaces one value, marks it, and is checked like the file")
    func overrides() throws {
        let changed = try DeviceProfile(
            yaml: Self.text, file: "example.yaml",
            overrides: ["capacity.bytes": "unknown", "sessions.max": "3", "mechanisms.oaep": "[SHA_1]"])
        #expect(changed.capacity.bytes == .unknown)
        #expect(
            changed.sessions.maximum == .known(.atMost(3), Provenance(evidence: .derived, source: "set by an override"))
        )
        #expect(changed.mechanisms.oaep.value == [.sha1])
        #expect(changed.capacity.pairCosts == self.profile.capacity.pairCosts)
        #expect(throws: ProfileError.self) {
            try DeviceProfile(yaml: Self.text, file: "example.yaml", overrides: ["capacity.byte": "1"])
        }
    }

    @Test("A whole section can be made unknown")
    func sectionOverride() throws {
        let changed = try DeviceProfile(
            yaml: Self.text, file: "example.yaml", overrides: ["capacity": "unknown"])
        #expect(changed.capacity == DeviceProfile.Capacity())
    }
}

@Suite("The catalogue of profiles")
struct ProfileCatalogTests {
    static let shipped = ["generic-32k-smartcard", "generic-8k-smartcard", "nss-softokn", "softhsm2"]

    func token(_ manufacturer: String, _ model: String) -> TokenIdentification {
        TokenIdentification(
            label: "x", manufacturer: manufacturer, model: model, serialNumber: "1", firmware: "2.6", slotID: 0)
    }

    @Test("All shipped profiles are valid, and each file is named after its profile")
    func shippedProfiles() throws {
        let catalog = try ProfileCatalog(directories: [SimulatorLibrary.profiles])
        #expect(Set(catalog.profiles.map(\.name)).isSuperset(of: Self.shipped))
        for profile in catalog.profiles {
            #expect(catalog.path(of: profile.name) == "\(SimulatorLibrary.profiles)/\(profile.name).yaml")
        }
    }

    @Test(
        "A device is matched by what it says of itself",
        arguments: [
            ("SoftHSM project", "SoftHSM v2", "softhsm2"), ("Mozilla Foundation", "NSS 3", "nss-softokn"),
            ("SoftHSM project", "SoftHSM v3", nil), ("", "", nil),
        ])
    func match(_ manufacturer: String, _ model: String, _ expected: String?) throws {
        let catalog = try ProfileCatalog(directories: [SimulatorLibrary.profiles])
        let found = try catalog.match(self.token(manufacturer, model), modulePath: "/usr/lib/m.so")
        #expect(found?.name == expected)
    }

    @Test("The rule that names the most fields is taken, and the first directory wins for a name")
    func precedence() throws {
        let first = try TemporaryDirectory()
        let second = try TemporaryDirectory()
        try first.write("a.yaml", Array("name: a\nsummary: first\nmatch: {manufacturer: Acme}\n".utf8))
        try first.write(
            "b.yaml", Array("name: b\nsummary: b\nmatch: {manufacturer: Acme, module: 'acme[.]so$'}\n".utf8))
        try first.write("ignored.txt", Array("-".utf8))
        try second.write("a.yaml", Array("name: a\nsummary: second\n".utf8))
        let catalog = try ProfileCatalog(directories: [first.path, second.path])
        #expect(try catalog.profile(named: "a").summary == "first")
        #expect(try catalog.match(self.token("Acme Corp", "1"), modulePath: "/lib/acme.so")?.name == "b")
        #expect(try catalog.match(self.token("Acme Corp", "1"), modulePath: "/lib/other.so")?.name == "a")
    }

    @Test("A name that does not exist is answered with the nearest one")
    func notFound() throws {
        let catalog = try ProfileCatalog(directories: [SimulatorLibrary.profiles])
        #expect {
            try catalog.profile(named: "sofhsm2")
        } throws: { error in
            guard let error = error as? ProfileError else { return false }
            return error.code == .notFound && error.headline.contains("the nearest is \"softhsm2\"")
        }
    }

    @Test("The findings of all files of a directory are given together")
    func allFiles() throws {
        let directory = try TemporaryDirectory()
        try directory.write("a.yaml", Array("name: a\n".utf8))
        try directory.write("b.yaml", Array("name: B\nsummary: b\n".utf8))
        #expect {
            try ProfileCatalog(directories: [directory.path])
        } throws: { error in
            guard let error = error as? ProfileError, error.code == .invalid else { return false }
            return error.findings.map(\.field) == ["summary", "name"]
                && error.findings.map(\.file) == [directory.path("a.yaml"), directory.path("b.yaml")]
        }
    }

    @Test("A directory that does not exist is an error of its own")
    func missingDirectory() {
        #expect {
            try ProfileCatalog(directories: ["/nonexistent"])
        } throws: { ($0 as? ProfileError)?.code == .unreadable }
    }
}
