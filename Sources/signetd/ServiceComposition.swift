import CAService
import CertificateAuthority
import Diagnostics
import EnrollmentWeb
import Foundation
import KeyProvider
import Logging
import ServiceLifecycle
import UnixSignals

/// Puts the service together: one instance, its authority, the listeners and the CRL timer.
struct ServiceComposition {
    private static let crlCheckInterval = Duration.seconds(60)
    private static let agentCheckInterval = Duration.seconds(60)
    private static let exchangeKeyInterval = Duration.seconds(600)
    private static let eventInterval = Duration.seconds(1)
    private static let auditSigningInterval = Duration.seconds(3600)
    private static let noticeInterval = Duration.seconds(300)
    private static let templateInterval = Duration.seconds(1)

    let directory: String
    let allowPlainHTTP: Bool
    let logger: Logger

    func run() async throws {
        let instance = try Instance.open(self.directory, secrets: .system)
        do {
            try await self.serve(instance)
        } catch {
            self.report(error, of: instance)
            await instance.tokens.close()
            throw error
        }
        await instance.tokens.close()
    }

    /// Event 100 to the sinks. The error itself goes to the caller, so that a sink that fails does not hide it.
    private func report(_ error: any Error, of instance: Instance) {
        do {
            let reason = ErrorReport(error).lines.joined(separator: " ")
            try EventForwarder(instance).emit(
                100, .error, "Certificate Services did not start or did not stay up: \(reason)")
        } catch {
            for line in ErrorReport(error).lines { self.logger.error("event 100 not sent: \(line)") }
        }
    }

    private func serve(_ instance: Instance) async throws {
        await instance.tokens.observeHealth { [logger] token, health in
            logger.log(
                level: health.state == .up ? .info : .error, "token is \(health.state.rawValue)",
                metadata: ["token": "\(token)", "cause": "\(health.cause?.summary ?? "none")"])
        }
        let lock = try InstanceLock(instance.layout)
        defer { withExtendedLifetime(lock) {} }
        let authority = try await instance.authority(settling: false)
        for settled in try await authority.settleInterruptedWork() {
            self.logger.warning("settled what a crash left open", metadata: ["work": "\(settled)"])
        }
        try await authority.recordStart()
        try await instance.recordLoadedTemplates()
        try await self.warnOfMissingLinks(authority)
        if try await instance.isBackupDue() {
            self.logger.warning("no backup has the CA certificate in place: signet backup create")
        }
        let events = EventForwarder(instance)
        let front = try EnrollmentFront(
            enrollment: authority.authority,
            publications: StoredPublications(
                caName: instance.configuration.name, storage: instance.storage,
                directory: instance.layout.publicationDirectory,
                largeListDirectory: instance.layout.largeListDirectory),
            authenticator: PasswordAuthenticator(storage: instance.storage, surroundings: instance.surroundings),
            surroundings: instance.surroundings)
        var services: [any Service] = []
        for listener in try await self.listeners(instance) {
            services.append(try EnrollmentServer(front: front, listener: listener, logger: self.logger))
        }
        services += self.timers(authority, events)
        services.append(
            TemplateTimer(
                watch: TemplateWatch(authority),
                interval: ServiceComposition.templateInterval, logger: self.logger))
        let heads = AuditTimer(
            authority: authority, interval: ServiceComposition.auditSigningInterval, logger: self.logger)
        services.append(heads)
        services.append(
            EventTimer(forwarder: events, interval: ServiceComposition.eventInterval, logger: self.logger))
        if let notifier = Notifier(instance: instance) {
            services.append(
                NotificationTimer(
                    notifier: notifier, interval: ServiceComposition.noticeInterval, logger: self.logger))
        }
        let group = ServiceGroup(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: self.logger)
        self.logger.info("starting", metadata: ["ca": "\(instance.configuration.name)"])
        try await group.run()
        try await authority.recordStop()
        await heads.sign()
        try await events.forward()
    }

    /// A root that was renewed when a token failed, or by an earlier version.
    private func warnOfMissingLinks(_ authority: Authority) async throws {
        let missing = try await authority.authority.missingLinks().count
        guard missing > 0 else { return }
        self.logger.warning(
            "links between the CA's keys are missing: signet ca link", metadata: ["count": "\(missing)"])
    }

    private func timers(_ authority: Authority, _ events: EventForwarder) -> [any Service] {
        let lists = CRLTimer(authority: authority, interval: ServiceComposition.crlCheckInterval, logger: self.logger)
        let agents = RecoveryAgentTimer(
            watch: RecoveryAgentWatch(authority: authority, events: events), lists: lists,
            interval: ServiceComposition.agentCheckInterval, logger: self.logger)
        let exchangeKeys = ExchangeKeyTimer(
            authority: authority, interval: ServiceComposition.exchangeKeyInterval, logger: self.logger)
        return [lists, agents, exchangeKeys]
    }

    /// `/certsrv` with TLS where a certificate is configured, and the publication points without.
    private func listeners(_ instance: Instance) async throws -> [Listener] {
        let web = instance.configuration.web
        return [
            Listener(
                host: web.host, port: web.port, tls: try await self.tls(instance), scope: .everything,
                allowsPlainHTTP: self.allowPlainHTTP),
            Listener(host: web.host, port: web.publicationPort, tls: nil, scope: .publicationOnly),
        ]
    }

    private func tls(_ instance: Instance) async throws -> ServerTLS? {
        guard let settings = instance.configuration.web.tls else { return nil }
        let certificate = FilePaths.resolve(settings.certificate, in: instance.directory)
        let tls =
            switch settings.key {
            case .file(let path):
                try ServerTLS(
                    certificateFile: certificate, keyFile: FilePaths.resolve(path, in: instance.directory))
            case .token(let name):
                try await ServerTLS(certificateFile: certificate, token: instance.token(named: name))
            }
        guard let authorities = settings.clientAuthorities else { return tls }
        return try tls.askingClients(authorities: FilePaths.resolve(authorities, in: instance.directory))
    }
}
