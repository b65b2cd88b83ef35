import CertificateAuthority
import Foundation
import TestSupport
import Testing

@testable import CAService

@Suite("A database has one instance and one service")
struct InstanceLockTests {
    @Test("A second one is refused, also by another name of the file, until the first has ended")
    func second() async throws {
        try await withSoftHSM { token in
            let place = try await RootPlace(token)
            let link = place.directory.path("link.sqlite")
            try FileManager.default.createSymbolicLink(
                atPath: link, withDestinationPath: place.instance.databasePath)
            let settings = place.instance.layout.configurationPath
            let text = try String(contentsOfFile: settings, encoding: .utf8)
            var first: DatabaseLock? = try DatabaseLock(place.instance)
            #expect(throws: ServiceError.self) { try DatabaseLock(place.reopened()) }
            try (text + "\ndatabase: \(link)\n").write(toFile: settings, atomically: true, encoding: .utf8)
            let byLink = try place.reopened()
            #expect(byLink.databasePath == link)
            #expect { try DatabaseLock(byLink) } throws: { ($0 as? ServiceError)?.code == .inUse }
            await #expect { try await byLink.takeDatabaseOver() } throws: { ($0 as? ServiceError)?.code == .inUse }
            withExtendedLifetime(first) {}
            first = nil
            _ = try DatabaseLock(byLink)
            await place.instance.tokens.close()
        }
    }

    @Test("An instance restored with its database but without its identifier goes on; a strange database is refused")
    func restored() async throws {
        try await withSoftHSM { token in
            let place = try await RootPlace(token)
            let path = place.instance.layout.identifierPath
            let identifier = try FilePaths.read(path)
            #expect(identifier.count == 33)
            try FileManager.default.removeItem(atPath: path)
            _ = try place.reopened()
            #expect(try FilePaths.read(path) == identifier)
            for wrong in [String(repeating: "0", count: 32), "", "not 32 digits"] {
                try wrong.write(toFile: path, atomically: true, encoding: .utf8)
                #expect { try place.reopened() } throws: { error in
                    wrong.count == 32
                        ? (error as? StorageError)?.code == .otherInstance
                        : (error as? ServiceError)?.code == .unreadable
                }
            }
            await place.instance.tokens.close()
        }
    }
}
