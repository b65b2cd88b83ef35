package import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages

/// Where CA certificates and CRLs are published: one pattern for the address in certificates and for the file.
enum PublicationPattern {
    static let certificate = "%3%4.crt"
    static func link(_ suffix: String) -> String { "%3\(suffix).crt" }
    static let crl = "%3%8%12%9.crl"
}

/// Writes CA certificates into `publish/`, where the service and any web server can serve them, and CRLs there and to
/// every other place of the configuration.
///
/// The database has them first; a file that is missing or old is written again at the next publication.
struct Publisher: Sendable {
    let directory: String
    let authorityName: String

    /// - Returns: the file's path.
    func publish(_ certificate: CACertificateRecord) throws -> String {
        let path = try self.path(of: certificate)
        try FilePaths.replace(path, with: certificate.certificateDER, mode: 0o644)
        return path
    }

    func hasPublished(_ certificate: CACertificateRecord) throws -> Bool {
        FilePaths.exists(try self.path(of: certificate))
    }

    private func path(of certificate: CACertificateRecord) throws -> String {
        let pattern = certificate.linkSuffix.map(PublicationPattern.link) ?? PublicationPattern.certificate
        let name = try PublicationURL.expand(
            pattern, caName: self.authorityName, certificateIndex: certificate.index, keyIndex: certificate.keyIndex,
            isFileName: true)
        return "\(self.directory)/\(name)"
    }
}

/// What became of the publication of one list.
package struct PublishedCRL: Sendable {
    package let record: CRLRecord
    /// Where it is now; the file in `publish/` first.
    package let places: [String]
    /// What went wrong, by place.
    package let failures: [(place: String, error: any Error)]
}

extension Instance {
    /// `publish/` first, then what the configuration names.
    var crlPublishers: [any CRLPublisher] {
        let crl = self.configuration.crl
        var publishers: [any CRLPublisher] = [DirectoryPublisher(pattern: self.layout.publicationDirectory)]
        for place in crl.publishTo {
            publishers.append(DirectoryPublisher(pattern: FilePaths.resolve(place, in: self.directory)))
        }
        if let hook = crl.hook {
            let program = HookProgram(
                path: FilePaths.resolve(hook.program, in: self.directory), deadlineSeconds: hook.deadlineSeconds)
            publishers.append(HookPublisher(program: program, directory: self.layout.largeListDirectory))
        }
        return publishers
    }

    /// Brings a signed list to every place and notes the outcome. A place that fails does not keep the others back,
    /// and is no error here: the list is signed and stored, and the service tries again.
    func distribute(_ record: CRLRecord, by who: Principal) async throws -> PublishedCRL {
        var values = PublicationURL.Values(
            caName: self.configuration.name, certificateIndex: 0, keyIndex: record.caKeyIndex,
            isDelta: record.kind == .delta, shard: record.shard)
        values.serverName = self.configuration.serverName
        values.configurationDN = self.configuration.crl.configurationDN
        let publication = CRLPublication(
            record: record, values: values, path: record.fileName.map { self.layout.largeListDirectory + "/" + $0 })
        var places: [String] = []
        var failures: [(place: String, error: any Error)] = []
        for publisher in self.crlPublishers {
            do { places.append(try await publisher.publish(publication)) } catch {
                failures.append((publisher.place, error))
            }
        }
        try await self.note(record, places, failures, by: who)
        return PublishedCRL(record: record, places: places, failures: failures)
    }

    private func note(
        _ record: CRLRecord, _ places: [String], _ failures: [(place: String, error: any Error)], by who: Principal
    ) async throws {
        let now = self.surroundings.now()
        let headlines = failures.map { ErrorReport($0.error).lines.first ?? "" }
        let event = AuditEvent(
            .crlPublicationFailed, when: now, who: who.name,
            details: [
                "Base CRL": record.kind == .base ? "Yes" : "No", "CRL Number": "\(record.number)",
                "Places": failures.map(\.place).joined(separator: " "), "Error": headlines.joined(separator: " "),
            ])
        let error = headlines.isEmpty ? nil : headlines.joined(separator: " ")
        // A place that goes on failing is one event, not one a minute.
        let isNew = error != nil && error != record.publicationError
        try await self.storage.write { db in
            try db.setPublication(of: record, publishedWhen: error == nil ? now : nil, error: error)
            if isNew { try db.append(event) }
        }
    }
}

extension InstanceConfiguration {
    /// What `%1` stands for.
    var serverName: String? {
        if let name = self.crl.serverName { return name }
        let host = self.web.publicationURL.dropFirst("http://".count).prefix { $0 != "/" && $0 != ":" }
        return host.isEmpty ? nil : String(host)
    }
}

extension Instance {
    /// A list that was signed: by its number, or the newest without shards of the newest key.
    ///
    /// - Throws: ``ServiceError`` with code `noCRL`.
    package func crl(number: UInt64?, kind: CRLKind, for who: Principal) async throws -> CRLRecord {
        try who.mustBeAllowed(.readConfiguration, to: "show a CRL")
        return try await self.crl(number: number, kind: kind)
    }

    /// The newest list of the newest key, which is published to everybody.
    package func newestCRL(_ kind: CRLKind) async throws -> CRLRecord {
        try await self.crl(number: nil, kind: kind)
    }

    private func crl(number: UInt64?, kind: CRLKind) async throws -> CRLRecord {
        let found = try await self.storage.read { db in
            if let number { return try db.crl(number: number, kind: kind) }
            let own = try db.ownCACertificates()
            return try db.latestCRL(CRLScope(caKeyIndex: own.map(\.keyIndex).max() ?? 0), kind)
        }
        guard let found else { throw ServiceError.noCRL(number, kind) }
        return found
    }

    /// A list as DER, wherever it is.
    package func der(of crl: CRLRecord) throws -> [UInt8] {
        guard let name = crl.fileName else { return crl.crlDER }
        return try FilePaths.read(
            self.layout.largeListDirectory + "/" + name, limit: DERLimits.maximumCertificateListBytes)
    }

    /// Writes a list as DER to a file that must not be there yet.
    package func write(_ crl: CRLRecord, to path: String) throws {
        guard !FilePaths.exists(path) else { throw ServiceError.exists(path, "The file") }
        guard let name = crl.fileName else { return try FilePaths.create(path, with: crl.crlDER, mode: 0o644) }
        try FilePaths.replace(path, withCopyOf: self.layout.largeListDirectory + "/" + name, mode: 0o644)
    }
}

extension ServiceError {
    fileprivate static func noCRL(_ number: UInt64?, _ kind: CRLKind) -> ServiceError {
        ServiceError(
            code: .noCRL, headline: "There is no \(kind.rawValue) CRL\(number.map { " with number \($0)" } ?? "").",
            hresult: .objectNotFound, advice: ["List them with `signet crl list`, or sign one: `signet crl publish`."])
    }
}
