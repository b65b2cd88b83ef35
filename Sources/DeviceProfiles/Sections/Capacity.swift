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
        /// How many entries the audit log takes until it is emptied; unlimited for a device that has none, or that
        /// forgets the oldest.
        public var logEntries: ProfileValue<Limit> = .unknown
        public var memoryReported: ProfileValue<MemoryReport> = .unknown
        public var full = FullReturnValues()
        public var residue: ProfileValue<Residue> = .unknown

        /// Everything unknown.
        public init() {}
    }
}

extension DeviceProfile.Capacity: ProfileTable {
    static var table: [SectionField<Self>] {
        [
            SectionField("bytes", \.bytes, .storageSize),
            SectionField("reserved", \.reserved, .integer(atLeast: 0)),
            SectionField("max_objects", \.maximumObjects, .limit),
            SectionField("max_pairs", algorithms: \.maximumPairs, .limit),
            SectionField("cost", algorithms: \.pairCosts, .integer(atLeast: 0)),
            SectionField("header", choices: \.headers, .integer(atLeast: 0)),
            SectionField("dir", choices: \.directories, .limit),
            SectionField("dir_entry", choices: \.directoryEntries, .integer(atLeast: 0)),
            SectionField("log_entries", \.logEntries, .limit),
            SectionField("mem_reported", \.memoryReported, .memoryReport),
            SectionField("full_rv", \.full),
            SectionField("residue", \.residue, .choice),
        ]
    }

    func check(_ section: ProfileSection) {
        if case .bytes(let total)? = self.bytes.value, let reserved = self.reserved.value, reserved > total {
            section.report("reserved", "\(reserved) is more than bytes, which is \(total)")
        }
    }
}

extension DeviceProfile.Capacity.FullReturnValues: ProfileTable {
    static var table: [SectionField<Self>] {
        [
            SectionField("keygen", \.keyGeneration, .returnValue),
            SectionField("create", \.create, .returnValue),
            SectionField("setattr", \.setAttribute, .returnValue),
            SectionField("dir", \.directory, .returnValue),
            SectionField("objects", \.objects, .returnValue),
            SectionField("log", \.log, .returnValue),
        ]
    }
}

extension FieldForm<DeviceProfile.Capacity.StorageSize> {
    fileprivate static var storageSize: Self {
        Self(read: { $0.storageSize() }) { size in
            switch size {
            case .bytes(let count): String(count)
            case .disk: "disk"
            case .partition: "partition"
            case .host: "host"
            }
        }
    }
}

extension FieldForm<DeviceProfile.Capacity.MemoryReport> {
    fileprivate static var memoryReport: Self {
        Self(read: { $0.memoryReport() }) { report in
            switch report {
            case .notReported: "-1"
            case .constant(let number): String(number)
            case .actual: "actual"
            }
        }
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
