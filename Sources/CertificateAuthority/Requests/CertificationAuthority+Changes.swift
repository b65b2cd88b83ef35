import Diagnostics
import PKIMessages

extension CertificationAuthority {
    /// Changes the attributes of a pending request (MS-CSRA, `SetAttributes`): each given name replaces what the request
    /// has under that name.
    ///
    /// - Parameter attributes: `Name:Value` lines.
    /// - Throws: ``RequestError``: `accessDenied`, `unknownRequest`, `wrongStatus` (0x80094003), `attributesTooLong`,
    ///   `noAttributes` (0x80070057) when there is not one line with a name; ``StorageError``.
    package func setAttributes(
        _ attributes: String, ofRequest requestID: Int64, by manager: Principal
    ) async throws {
        let operation = "change the attributes of request \(requestID)"
        try manager.mustBeAllowed(.setRequestAttributes, to: operation)
        let new = RequestAttributes.withoutSecrets(attributes)
        guard !RequestAttributes(new).pairs.isEmpty else { throw RequestError.noAttributes(operation) }
        try await self.storage.write { [self] db in
            var row = try db.request(requestID, operation: operation) { $0 == .pending }
            try db.mustManage(manager, row, to: operation)
            row.attributes = RequestAttributes.replacing(in: row.attributes, by: new)
            guard row.attributes.utf8.count <= RequestAttributes.maximumBytes else {
                throw RequestError.attributesTooLong(
                    bytes: row.attributes.utf8.count, limit: RequestAttributes.maximumBytes)
            }
            try db.update(row)
            try db.append(
                self.event(
                    .requestAttributesChanged, who: manager.name, ["Request ID": "\(requestID)", "Attributes": new]))
        }
    }

    /// Sets an extension of a pending request, or takes it away (MS-CSRA, `SetExtension`).
    ///
    /// - Throws: ``RequestError``: `accessDenied`, `unknownRequest`, `wrongStatus` (0x80094003), `badExtension`
    ///   (0x80070057); `PKIMessageError` for a value that is not DER; ``StorageError``.
    package func setExtension(
        _ change: RequestExtension, ofRequest requestID: Int64, by manager: Principal
    ) async throws {
        let operation = "change an extension of request \(requestID)"
        try manager.mustBeAllowed(.setRequestExtension, to: operation)
        _ = try change.identifier()
        try await self.storage.write { [self] db in
            let row = try db.request(requestID, operation: operation) { $0 == .pending }
            try db.mustManage(manager, row, to: operation)
            try db.set(change, ofRequest: requestID)
            try db.append(
                self.event(
                    .requestExtensionChanged, who: manager.name,
                    [
                        "Request ID": "\(requestID)", "Name": change.oid, "Type": change.value == nil ? "0" : "3",
                        "Flags": change.isCritical ? "1" : "0", "Data": Hexadecimal.lower(change.value ?? []),
                    ]))
        }
    }
}

extension RequestAttributes {
    /// The lines of `old` whose names `new` does not have, and then those of `new`.
    static func replacing(in old: String, by new: String) -> String {
        let names = Set(RequestAttributes(new).pairs.map(\.name))
        let kept = old.split(whereSeparator: \.isNewline).filter { line in
            !RequestAttributes(String(line)).pairs.contains { names.contains($0.name) }
        }
        return (kept.map(String.init) + new.split(whereSeparator: \.isNewline).map(String.init))
            .joined(separator: "\n")
    }
}

extension RequestError {
    static func noAttributes(_ operation: String) -> RequestError {
        RequestError(
            code: Code(rawValue: "noAttributes"), operation: operation, reason: "no line has the form Name:Value",
            hresult: .invalidParameter, facts: [], advice: ["Write each attribute as Name:Value."])
    }
}
