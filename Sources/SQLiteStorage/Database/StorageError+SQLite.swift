import CertificateAuthority
import Diagnostics
import GRDB

extension StorageError {
    /// Runs `body` and gives what SQLite says against it as a ``StorageError``. Other errors pass unchanged.
    static func mapping<R>(_ operation: String, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw StorageError(error, operation: operation)
        }
    }

    /// Classifies a SQLite result code (<https://www.sqlite.org/rescode.html>). Only the code and SQLite's own message
    /// are kept, never the statement or its arguments.
    init(_ error: DatabaseError, operation: String) {
        let kind = Kind(error)
        self.init(
            code: kind.code, operation: operation, reason: error.message ?? error.resultCode.description,
            hresult: kind.hresult,
            facts: [Fact("SQLite code", "\(error.extendedResultCode.rawValue) \(error.extendedResultCode)")],
            advice: [kind.advice])
    }

    private struct Kind {
        let code: Code
        let hresult: HRESULT
        let advice: Advice

        init(_ code: Code, _ hresult: HRESULT, _ advice: Advice) {
            self.code = code
            self.hresult = hresult
            self.advice = advice
        }

        init(_ error: DatabaseError) {
            switch error.resultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED:
                self.init(.busy, .timeout, "Find the process that holds the database, then try again.")
            case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_ABORT:
                self.init(
                    .notWritten, .writeFault,
                    "Free space on the instance's disk or repair it; nothing of this operation was stored.")
            case .SQLITE_CONSTRAINT:
                self.init(constraint: error.extendedResultCode)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB:
                self.init(.corrupt, .invalidData, "Restore the database from a backup.")
            case .SQLITE_CANTOPEN:
                self.init(
                    .cannotOpen, .fileNotFound, "Check the path of the instance and the rights of its directory.")
            default:
                self.init(.failed, .fail, "Report this as a defect, with the SQLite code.")
            }
        }

        private init(constraint: ResultCode) {
            switch constraint {
            case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
                self.init(.duplicate, .alreadyExists, "Use a new number: this one is in the database already.")
            case .SQLITE_CONSTRAINT_FOREIGNKEY:
                self.init(
                    .notFound, .objectNotFound, "Store the request first: the row refers to one that does not exist.")
            default:
                self.init(.failed, .invalidParameter, "Report this as a defect, with the SQLite code.")
            }
        }
    }

    static func notFound(_ what: String, operation: String) -> StorageError {
        StorageError(
            code: .notFound, operation: operation, reason: "there is no \(what)", hresult: .objectNotFound,
            advice: ["Check the number."])
    }

    static func corrupt(_ column: String, _ operation: String) -> StorageError {
        StorageError(
            code: .corrupt, operation: operation, reason: "column \(column) has a value that cannot be read",
            hresult: .invalidData, advice: ["Restore the database from a backup, and verify the audit chain."])
    }

    static func newerSchema(path: String) -> StorageError {
        StorageError(
            code: .newerSchema, operation: "open the database \(path)",
            reason: "it was written by a newer version of Signet", hresult: .notSupported,
            advice: ["Use the newer version: an older one does not know what is in this database."])
    }

    static func cannotOpen(path: String, reason: String, hresult: HRESULT) -> StorageError {
        StorageError(
            code: .cannotOpen, operation: "open the database \(path)", reason: reason, hresult: hresult,
            advice: ["Check the path of the instance and the rights of its directory."])
    }

    static func numberTooLarge(operation: String) -> StorageError {
        StorageError(
            code: .failed, operation: operation, reason: "the number does not fit 63 bits",
            hresult: .invalidParameter, advice: ["Use a smaller CRL number."])
    }
}
