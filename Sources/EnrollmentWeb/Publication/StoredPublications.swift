package import CertificateAuthority
import Foundation

/// Publications out of an instance's database, and of a directory for files of other CAs.
package struct StoredPublications: PublicationReading {
    package let caName: String
    private let storage: any CAStorage
    private let directory: String?
    private let lanes: BlockingLanes

    /// The largest file that is served out of the directory: a CRL with a hundred thousand entries is below it.
    private static let maximumFileBytes = 16 << 20

    /// - Parameter directory: path of further files to be published, such as the root's certificate and CRL; `nil`
    ///   for none.
    package init(caName: String, storage: any CAStorage, directory: String?) {
        self.caName = caName
        self.storage = storage
        self.directory = directory
        self.lanes = BlockingLanes(label: "signet.publications", count: 1, maximumWaiting: 256)
    }

    package func caCertificates() async throws -> [CACertificateRecord] {
        try await self.storage.read { try $0.caCertificates() }
    }

    package func latestCRL(keyIndex: Int) async throws -> CRLRecord? {
        try await self.storage.read { try $0.latestCRL(caKeyIndex: keyIndex) }
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
