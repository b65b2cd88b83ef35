import DeviceProfiles
import Diagnostics
import TestSupport
import Testing

@Suite("The profiles that ship")
struct ShippedProfileTests {
    static let names = [
        "aws-cloudhsm", "generic-32k-smartcard", "generic-64k-smartcard", "generic-8k-smartcard", "luna-7",
        "nitrokey-hsm-2", "nshield", "nss-softokn", "opencryptoki-soft", "softhsm2", "tpm2-pkcs11", "utimaco",
        "yubihsm-2", "yubikey-piv",
    ]

    let catalog: ProfileCatalog

    init() throws {
        self.catalog = try ProfileCatalog(directories: [SimulatorLibrary.profiles])
    }

    @Test("There is a valid profile for each device of the list")
    func all() {
        #expect(Set(self.catalog.profiles.map(\.name)).isSuperset(of: Self.names))
    }

    @Test("Every value has evidence and a source", arguments: names)
    func evidence(_ name: String) throws {
        for field in try self.catalog.profile(named: name).fields where field.text != "unknown" {
            let provenance = try #require(field.provenance, "\(name): \(field.path)")
            #expect(provenance.source.count > 5, "\(name): \(field.path)")
        }
    }

    @Test("A profile that is written and read again is the same", arguments: names)
    func roundTrip(_ name: String) throws {
        let profile = try self.catalog.profile(named: name)
        #expect(try DeviceProfile(yaml: profile.yamlText, file: "written.yaml") == profile)
    }

    /// What a device says of itself, and through which module.
    struct Device: Sendable, CustomTestStringConvertible {
        let manufacturer: String
        let model: String
        let firmware: String
        let module: String
        let profile: String?

        init(_ manufacturer: String, _ model: String, _ firmware: String, _ module: String, _ profile: String?) {
            self.manufacturer = manufacturer
            self.model = model
            self.firmware = firmware
            self.module = module
            self.profile = profile
        }

        var testDescription: String { "\(self.manufacturer) \(self.model) \(self.firmware)" }
    }

    @Test(
        "A device finds its own profile by manufacturer, model, firmware or module",
        arguments: [
            Device("SoftHSM project", "SoftHSM v2", "2.6", "/usr/lib/softhsm/libsofthsm2.so", "softhsm2"),
            Device("Mozilla Foundation", "NSS 3", "0.0", "/usr/lib/libsoftokn3.so", "nss-softokn"),
            Device("IBM", "Soft", "0.0", "/usr/lib/libopencryptoki.so", "opencryptoki-soft"),
            Device("IBM", "EP11", "3.1", "/usr/lib/libopencryptoki.so", nil),
            Device("IBM", "SW   TPM", "32.25", "/usr/lib/libtpm2_pkcs11.so.1", "tpm2-pkcs11"),
            Device("Infineon", "SLB9670", "7.85", "/usr/lib/libtpm2_pkcs11.so", "tpm2-pkcs11"),
            Device("SafeNet", "LunaSA 7.4.0", "7.4", "/usr/safenet/lunaclient/lib/libCryptoki2_64.so", "luna-7"),
            Device("Thales", "Luna K7", "7.7", "/usr/lib/libCryptoki2_64.so", "luna-7"),
            Device("SafeNet", "LunaSA 6.2.0", "6.24", "/usr/lib/libCryptoki2_64.so", nil),
            Device("nCipher Corp. Ltd", "", "13.8", "/opt/nfast/toolkits/pkcs11/libcknfast.so", "nshield"),
            Device("Utimaco IS GmbH", "CryptoServer", "5.1", "/usr/lib/libcs_pkcs11_R3.so", "utimaco"),
            Device("Marvell", "LS2", "2.0", "/opt/cloudhsm/lib/libcloudhsm_pkcs11.so", "aws-cloudhsm"),
            Device("Yubico (www.yubico.com)", "YubiHSM", "2.4", "/usr/lib/pkcs11/yubihsm_pkcs11.so", "yubihsm-2"),
            Device("Yubico (www.yubico.com)", "YubiKey YK5", "5.4", "/usr/lib/libykcs11.so", "yubikey-piv"),
            Device("www.CardContact.de", "PKCS#15 emulated", "3.5", "/usr/lib/opensc-pkcs11.so", "nitrokey-hsm-2"),
            Device("OsEID", "PKCS#15", "0.0", "/usr/lib/opensc-pkcs11.so", nil),
        ])
    func matching(_ device: Device) throws {
        let token = TokenIdentification(
            label: "x", manufacturer: device.manufacturer, model: device.model, serialNumber: "1",
            firmware: device.firmware, slotID: 0)
        #expect(try self.catalog.match(token, modulePath: device.module)?.name == device.profile)
    }

    @Test("Two profiles that fit a token equally well are refused, and both are named")
    func ambiguous() throws {
        let directory = try TemporaryDirectory()
        try directory.write("a.yaml", Array("name: a\nsummary: a\nmatch: {manufacturer: Acme}\n".utf8))
        try directory.write("b.yaml", Array("name: b\nsummary: b\nmatch: {model: HSM}\n".utf8))
        let token = TokenIdentification(
            label: "x", manufacturer: "Acme", model: "HSM", serialNumber: "1", firmware: "1.0", slotID: 0)
        let catalog = try ProfileCatalog(directories: [directory.path])
        #expect {
            _ = try catalog.match(token, modulePath: "/m.so")
        } throws: { error in
            guard let error = error as? ProfileError else { return false }
            return error.code == .ambiguous && error.headline.contains("a, b") && !error.advice.isEmpty
        }
    }

    @Test("Vendor return values have their names, and a number that is not a vendor's is refused")
    func vendorReturnValues() throws {
        let luna = try self.catalog.profile(named: "luna-7")
        #expect(luna.vendorReturnValues[ReturnValue(rawValue: 0x8000_002A)]?.value == "CKR_HSM_STORAGE_FULL")
        #expect {
            try DeviceProfile(
                yaml: "name: x\nsummary: x\nevidence: doc\nsource: x\nvendor_rv: {0x31: CKR_FULL, 0x80000001: full}\n",
                file: "x.yaml")
        } throws: { error in
            (error as? ProfileError)?.findings.map(\.field) == ["vendor_rv.0x31", "vendor_rv.0x80000001"]
        }
    }

    @Test("What the cost model says of a card fits the number of pairs that was reported for it")
    func costs() throws {
        for (name, algorithm, pairs) in [
            ("generic-64k-smartcard", KeyPairAlgorithm.rsa(modulusBits: 2048), 52),
            ("generic-64k-smartcard", .rsa(modulusBits: 3072), 37), ("nitrokey-hsm-2", .rsa(modulusBits: 2048), 38),
            ("yubihsm-2", .rsa(modulusBits: 4096), 67),
        ] {
            let capacity = try self.catalog.profile(named: name).capacity
            let usable = try #require(capacity.usableBytes)
            let cost = try #require(capacity.cost(ofKeyPair: algorithm))
            #expect(usable / cost >= pairs && usable / cost <= pairs + 1, "\(name) \(algorithm)")
        }
    }
}
