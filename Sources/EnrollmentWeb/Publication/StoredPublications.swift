package import CertificateAuthority
import Foundation

/// Publications out of an instance's database, and of a directory for files of other CAs.
package struct StoredPublications: PublicationReading {
    package let caName: String
    private let storage: any CAStorage
    private let directory: String?
    private let largeListDirectory: String?
    private let lanes: BlockingLanes

    /// The largest file that is served out of the directory: a CRL with a hundred thousand entries is below it.
    private static let maximumFileBytes = 16 << 20
    private static let pieceBytes = 256 << 10

    /// - Parameter directory: path of further files to be published, such as the root's certificate and CRL; `nil`
    ///   for none.
    /// - Parameter largeListDirectory: where this CA keeps lists that are too large for its database.
    package init(caName: String, storage: any CAStorage, directory: String?, largeListDirectory: String? = nil) {
        self.caName = caName
        self.storage = storage
        self.directory = directory
        self.largeListDirectory = largeListDirectory
        self.lanes = BlockingLanes(label: "signet.publications", count: 1, maximumWaiting: 256)
    }

    package func caCertificates() async throws -> [CACertificateRecord] {
        try await self.storage.read { try $0.caCertificates() }
    }

    package func latestCRL(_ scope: CRLScope, _ kind: CRLKind) async throws -> CRLRecord? {
        try await self.storage.read { try $0.latestCRL(scope, kind) }
    }

    package func piece(of crl: CRLRecord, at offset: Int) async throws -> [UInt8] {
        guard let name = crl.fileName else { return Array(crl.crlDER.dropFirst(offset)) }
        guard let directory = self.largeListDirectory else { throw EnrollmentWebError.notPublished }
        return try await self.lanes.run {
            guard let handle = FileHandle(forReadingAtPath: directory + "/" + name) else {
                throw EnrollmentWebError.notPublished
            }
            defer { try? handle.close() }  // read only: nothing can be lost by a close that fails
            try handle.seek(toOffset: UInt64(offset))
            return Array(try handle.read(upToCount: StoredPublications.pieceBytes) ?? Data())
        }
    }

    package func file(named name: PublishedFileName) async throws -> [UInt8]? {
        guard let directory = self.directory else { return nil }
        let path = directory + "/" + name.text
        return try await self.lanes.run {
            guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
            defer { try? handle.close() }  // read only: nothing can be lost by a close that fails
            guard let data = try handle.read(upToCount: StoredPublications.maximumFileBytes + 1),
                data.count <= StoredPublications.maximumFileBytes
            else { return nil }
            return Array(data)
        }
    }
}
