import Foundation
import TestSupport
import Testing

@testable import CAService

@Suite("The room of a backup")
struct BackupRoomTests {
    @Test("Who is refused the room leaves the copy of the one who has it alone, and its lock")
    func refused() throws {
        let directory = try TemporaryDirectory()
        let layout = InstanceLayout(directory: directory.path(""))
        let room = try BackupRoom(layout)
        try FilePaths.create(room.imagePath, with: [1, 2, 3], mode: 0o600)
        for _ in 0..<2 {
            #expect { try BackupRoom(layout) } throws: { ($0 as? ServiceError)?.code == .inUse }
        }
        #expect(try FilePaths.read(room.imagePath) == [1, 2, 3])
        withExtendedLifetime(room) {}
    }

    @Test("What a process has left behind that was killed is cleared, and so is the room at its end")
    func cleared() throws {
        let directory = try TemporaryDirectory()
        let layout = InstanceLayout(directory: directory.path(""))
        try FilePaths.create(layout.directory + "/backup.sqlite", with: [1], mode: 0o600)
        var room: BackupRoom? = try BackupRoom(layout)
        let image = try #require(room).imagePath
        #expect(!FilePaths.exists(image))
        try FilePaths.create(image, with: [2], mode: 0o600)
        room = nil
        #expect(!FilePaths.exists(image))
    }
}
