public import Diagnostics

extension DeviceProfile {
    /// How much fits on a device, what an object costs, and what happens when it is full.
    public struct Capacity: Hashable, Sendable {
        /// Total storage, or what storage is shared with where there is no number of its own.
        public enum StorageSize: Hashable, Sendable {
            case bytes(Int)
            /// The file system of the host that runs the token.
            case disk
            /// A partition whose size the administrator of the device chose.
            case partition
            /// Blobs kept by the host, as many as it can hold.
            case host
        }

        /// What `CK_TOKEN_INFO` says of memory.
        public enum MemoryReport: Hashable, Sendable {
            /// `CK_UNAVAILABLE_INFORMATION`. Written -1.
            case notReported
            /// Always this number, whatever is stored.
            case constant(Int)
            /// What is really there and really free. Written `actual`.
            case actual
        }

        /// What a failed write leaves behind on a full device.
        public enum Residue: String, Hashable, Sendable, CaseIterable {
            case none
            /// A private key without its public key or certificate.
            case orphanKey = "orphan-key"
            /// An object that was there is gone.
            case lostObject = "lost-object"
        }

        /// The files of a PKCS #15 card that list its objects (ISO/IEC 7816-15).
        public enum Directory: String, Hashable, Sendable, CaseIterable {
            /// Private keys.
            case prkdf
            /// Public keys.
            case pukdf
            /// Certificates.
            case cdf
            /// Data objects.
            case dodf
        }

        /// Objects other than halves of a key pair.
        public enum StoredObject: String, Hashable, Sendable, CaseIterable {
            case certificate
            case data
            case secretKey = "secret_key"
        }

        /// What a call returns on a full device. `CKR_OK` is possible: some devices acknowledge and lose.
        public struct FullReturnValues: Hashable, Sendable {
            public var keyGeneration: ProfileValue<ReturnValue> = .unknown
            public var create: ProfileValue<ReturnValue> = .unknown
            public var setAttribute: ProfileValue<ReturnValue> = .unknown
            /// A directory file is full.
            public var directory: ProfileValue<ReturnValue> = .unknown
            /// The number of objects is at its limit.
            public var objects: ProfileValue<ReturnValue> = .unknown
            /// The device's audit log is full.
            public var log: ProfileValue<ReturnValue> = .unknown

            /// Everything unknown.
            public init() {}
        }

        public var bytes: ProfileValue<StorageSize> = .unknown
        /// Bytes of the total that are never available for objects.
        public var reserved: ProfileValue<Int> = .unknown
        public var maximumObjects: ProfileValue<Limit> = .unknown
        /// Key pairs of one algorithm; an algorithm that is absent is unknown.
        public var maximumPairs: [KeyPairAlgorithm: ProfileValue<Limit>] = [:]
        /// Bytes for a key pair, both halves; an algorithm that is absent is unknown.
        public var pairCosts: [KeyPairAlgorithm: ProfileValue<Int>] = [:]
        /// Bytes that an object takes beside its content.
        public var headers: [StoredObject: ProfileValue<Int>] = [:]
        /// Size of each directory file; unlimited for a device that has none.
        public var directories: [Directory: ProfileValue<Limit>] = [:]
        /// Bytes for one entry of each directory file.
        public var directoryEntries: [Directory: ProfileValue<Int>] = [:]
        public var memoryReported: ProfileValue<MemoryReport> = .unknown
        public var full = FullReturnValues()
        public var residue: ProfileValue<Residue> = .unknown

        /// Everything unknown.
        public init() {}
    }
}

extension DeviceProfile.Capacity {
    init(reading section: ProfileSection) {
        section.allow([
            "bytes", "reserved", "max_objects", "max_pairs", "cost", "header", "dir", "dir_entry", "mem_reported",
            "full_rv", "residue",
        ])
        self.bytes = section.value("bytes") { $0.storageSize() }
        self.reserved = section.value("reserved") { $0.integer(atLeast: 0) }
        self.maximumObjects = section.value("max_objects") { $0.limit() }
        self.maximumPairs = section.section("max_pairs").algorithms { $0.limit() }
        self.pairCosts = section.section("cost").algorithms { $0.integer(atLeast: 0) }
        self.headers = section.section("header").choices { $0.integer(atLeast: 0) }
        self.directories = section.section("dir").choices { $0.limit() }
        self.directoryEntries = section.section("dir_entry").choices { $0.integer(atLeast: 0) }
        self.memoryReported = section.value("mem_reported") { $0.memoryReport() }
        self.full = FullReturnValues(reading: section.section("full_rv"))
        self.residue = section.value("residue") { $0.choice() }
        if case .bytes(let total)? = self.bytes.value, let reserved = self.reserved.value, reserved > total {
            section.report("reserved", "\(reserved) is more than bytes, which is \(total)")
        }
    }
}

extension DeviceProfile.Capacity.FullReturnValues {
    init(reading section: ProfileSection) {
        section.allow(["keygen", "create", "setattr", "dir", "objects", "log"])
        self.keyGeneration = section.value("keygen") { $0.returnValue() }
        self.create = section.value("create") { $0.returnValue() }
        self.setAttribute = section.value("setattr") { $0.returnValue() }
        self.directory = section.value("dir") { $0.returnValue() }
        self.objects = section.value("objects") { $0.returnValue() }
        self.log = section.value("log") { $0.returnValue() }
    }
}

extension DocumentField {
    fileprivate func storageSize() -> DeviceProfile.Capacity.StorageSize? {
        switch self.plainText {
        case "disk": return .disk
        case "partition": return .partition
        case "host": return .host
        default:
            let expected = "a number of bytes, \"disk\", \"partition\", \"host\" or \"unknown\""
            return self.integer(atLeast: 1, expected: expected).map { .bytes($0) }
        }
    }

    fileprivate func memoryReport() -> DeviceProfile.Capacity.MemoryReport? {
        if self.plainText == "actual" { return .actual }
        let expected = "-1, a number of bytes, \"actual\" or \"unknown\""
        return self.integer(atLeast: -1, expected: expected).map { $0 == -1 ? .notReported : .constant($0) }
    }
}
