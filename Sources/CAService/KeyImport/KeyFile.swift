import Diagnostics
import KeyArchival
package import PKIMessages
package import SecretMemory

/// A file that may hold keys.
package struct KeyFile {
    enum Kind {
        case pkcs12(SecretBytes)
        case container
    }

    private static let maximumBytes = 4 << 20

    let kind: Kind

    /// Looks what a file is.
    ///
    /// - Throws: `ArchivalError` with code `unknownKeyFile` (0x8007000D) for EPF files, export files of the Exchange Key
    ///   Management Server, and everything else that is neither PKCS #12 nor a container.
    init(_ path: String) throws {
        let start = try FilePaths.readStart(path, count: 64)
        if KeyContainer.Reader.recognizes(start) {
            self.kind = .container
            return
        }
        if start.first == UInt8(ascii: "[") {
            throw ArchivalError.unknownKeyFile(
                path, "it looks like an EPF file of Outlook, a format that is unpublished")
        }
        guard start.first == 0x30 else {
            throw ArchivalError.unknownKeyFile(
                path,
                "it is no PKCS #12 file; an export file of the Exchange Key Management Server is of an unpublished format"
            )
        }
        self.kind = .pkcs12(try FilePaths.readSecret(path, limit: KeyFile.maximumBytes))
    }

    /// False for a key container, which its CA's token opens.
    ///
    /// - Throws: as the import itself.
    package static func needsPassword(_ path: String) throws -> Bool {
        if case .pkcs12 = try KeyFile(path).kind { return true }
        return false
    }

    /// Opens a PKCS #12 file by the first password that fits.
    ///
    /// - Throws: `PKIMessageError` with code `wrongPassword` when none does.
    package static func open(
        _ file: SecretBytes, passwords: [SecretBytes]
    ) throws -> (entries: [PKCS12.Entry], certificates: [[UInt8]]) {
        for password in passwords.dropLast() {
            do {
                return try PKCS12.openAll(file, password: password)
            } catch let error as PKIMessageError where error.code == .wrongPassword {
                continue
            }
        }
        return try PKCS12.openAll(file, password: passwords.last ?? SecretBytes(copying: []))
    }

    /// The keys of a PKCS #12 file.
    static func read(
        _ path: String, passwords: [SecretBytes]
    ) throws -> (entries: [PKCS12.Entry], certificates: [[UInt8]]) {
        guard case .pkcs12(let bytes) = try KeyFile(path).kind else {
            throw ArchivalError.unknownKeyFile(path, "it is a key container, which only its CA can open")
        }
        return try self.open(bytes, passwords: passwords)
    }
}
