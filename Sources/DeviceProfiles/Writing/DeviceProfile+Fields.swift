internal import Diagnostics

extension DeviceProfile {
    /// Every value of the profile, unknown ones as well, in the order of `hsm-profiles/README.md`.
    public var fields: [ProfileField] {
        var list = ProfileFieldList()
        self.sessions.append(to: &list)
        self.login.append(to: &list)
        self.capacity.append(to: &list)
        self.mechanisms.append(to: &list)
        self.template.append(to: &list)
        self.lifecycle.append(to: &list)
        self.latency.append(to: &list)
        for (value, name) in self.vendorReturnValues.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            list.add("vendor_rv.0x" + String(value.rawValue, radix: 16), name)
        }
        return list.fields
    }
}

extension DeviceProfile.Sessions {
    fileprivate func append(to list: inout ProfileFieldList) {
        list.add("sessions.max", self.maximum)
        list.add("sessions.reported", self.reported)
        list.add("sessions.scope", self.scope)
        list.add("sessions.idle_s", self.idleSeconds)
        list.add("sessions.over_rv", self.overLimit)
        list.add("sessions.ro", self.readOnly)
    }
}

extension DeviceProfile.Login {
    fileprivate func append(to list: inout ProfileFieldList) {
        list.add("login.pin_min", self.pinMinimum)
        list.add("login.pin_max", self.pinMaximum)
        list.add("login.tries", self.tries)
        list.add("login.pin_format", self.pinFormat)
        list.add("login.always_auth", self.alwaysAuthenticate)
        list.add("login.keygen_role", self.keyGenerationRole)
    }
}

extension DeviceProfile.Capacity {
    fileprivate func append(to list: inout ProfileFieldList) {
        list.add("capacity.bytes", self.bytes) { size in
            switch size {
            case .bytes(let count): String(count)
            case .disk: "disk"
            case .partition: "partition"
            case .host: "host"
            }
        }
        list.add("capacity.reserved", self.reserved)
        list.add("capacity.max_objects", self.maximumObjects)
        for algorithm in self.maximumPairs.keys.inOrder {
            list.add("capacity.max_pairs.\(algorithm)", self.maximumPairs[algorithm] ?? .unknown)
        }
        for algorithm in self.pairCosts.keys.inOrder {
            list.add("capacity.cost.\(algorithm)", self.pairCosts[algorithm] ?? .unknown)
        }
        for object in StoredObject.allCases {
            list.add("capacity.header.\(object.rawValue)", self.headers[object] ?? .unknown)
        }
        for directory in Directory.allCases {
            list.add("capacity.dir.\(directory.rawValue)", self.directories[directory] ?? .unknown)
        }
        for directory in Directory.allCases {
            list.add("capacity.dir_entry.\(directory.rawValue)", self.directoryEntries[directory] ?? .unknown)
        }
        list.add("capacity.mem_reported", self.memoryReported) { report in
            switch report {
            case .notReported: "-1"
            case .constant(let number): String(number)
            case .actual: "actual"
            }
        }
        self.full.append(to: &list)
        list.add("capacity.residue", self.residue)
    }
}

extension DeviceProfile.Capacity.FullReturnValues {
    fileprivate func append(to list: inout ProfileFieldList) {
        list.add("capacity.full_rv.keygen", self.keyGeneration)
        list.add("capacity.full_rv.create", self.create)
        list.add("capacity.full_rv.setattr", self.setAttribute)
        list.add("capacity.full_rv.dir", self.directory)
        list.add("capacity.full_rv.objects", self.objects)
        list.add("capacity.full_rv.log", self.log)
    }
}

extension DeviceProfile.Mechanisms {
    fileprivate func append(to list: inout ProfileFieldList) {
        list.add("mechanisms.allow", self.allow) { ProfileFieldList.list($0.map(\.text)) }
        list.add("mechanisms.oaep", self.oaep) { ProfileFieldList.list($0.map(\.rawValue)) }
        list.add("mechanisms.ecdsa", self.ecdsa)
        list.add("mechanisms.wrap_private", self.wrapPrivate)
        list.add("mechanisms.rfc5649", self.rfc5649) { "0x" + String($0, radix: 16) }
        list.add("mechanisms.gcm_iv", self.gcmInitializationVector)
        list.add("mechanisms.max_data", self.maximumData)
        list.add("mechanisms.secret_keygen", self.generatesSecretKeys)
    }
}

extension DeviceProfile.Mechanisms.Allowed {
    /// `NAME`, `NAME:MIN-MAX` or `NAME:MIN-MAX:FLAG+FLAG`.
    fileprivate var text: String {
        let sizes = self.keySizes.map { "\($0.lowerBound)-\($0.upperBound)" }
        if !self.flags.isEmpty { return "\(self.name):\(sizes ?? ""):\(self.flags.joined(separator: "+"))" }
        return sizes.map { "\(self.name):\($0)" } ?? self.name
    }
}

extension DeviceProfile.TemplateRules {
    fileprivate func append(to list: inout ProfileFieldList) {
        list.add("template.require", self.require)
        list.add("template.refuse", self.refuse)
        list.add("template.ignore", self.ignore)
        list.add("template.unwrap_require", self.unwrapRequire)
        list.add("template.session_objects", self.sessionObjects)
        list.add("template.ecdsa_sig", self.ecdsaSignature)
        list.add("template.ec_point", self.ecPoint)
    }
}

extension DeviceProfile.Lifecycle {
    fileprivate func append(to list: inout ProfileFieldList) {
        list.add("lifecycle.removed_rv", self.removed)
        list.add("lifecycle.info_after_removal", self.infoAfterRemoval)
        list.add("lifecycle.rescan_needed", self.rescanNeeded)
        list.add("lifecycle.stale_session_rv", self.staleSession)
        list.add("lifecycle.stale_handle_rv", self.staleHandle)
        list.add("lifecycle.hang_s", self.hangSeconds)
        list.add("lifecycle.recover", self.recovery)
        list.add("lifecycle.throttled_rv", self.throttled) { ProfileFieldList.list($0.map(ProfileFieldList.text)) }
        list.add("lifecycle.fork", self.fork)
        list.add("lifecycle.visibility", self.visibility)
        list.add("lifecycle.op_sticky", self.operationSticky)
    }
}

extension DeviceProfile.Latency {
    fileprivate func append(to list: inout ProfileFieldList) {
        list.add("latency.open", self.open)
        list.add("latency.login", self.login)
        list.add("latency.sign_rsa2048", self.signRSA2048)
        list.add("latency.sign_p256", self.signP256)
        list.add("latency.sign_p384", self.signP384)
        list.add("latency.keygen_rsa2048", self.generateRSA2048)
        list.add("latency.p99", self.percentile99)
    }
}

extension Collection where Element == KeyPairAlgorithm {
    /// RSA by size, then the curves.
    fileprivate var inOrder: [KeyPairAlgorithm] {
        self.sorted { first, second in
            switch (first, second) {
            case (.rsa(let one), .rsa(let other)): one < other
            case (.rsa, _): true
            case (_, .rsa): false
            default: first.description < second.description
            }
        }
    }
}
