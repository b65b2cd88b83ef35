package import CertificateAuthority

extension Instance {
    /// Audit event 10010, when an operation failed because its caller may not do it. Does nothing for other errors.
    package func recordRefusal(_ error: any Error, of who: Principal) async throws {
        guard let event = AuditEvent(refusing: error, to: who, when: self.surroundings.now()) else { return }
        try await self.storage.write { try $0.append(event) }
    }
}
