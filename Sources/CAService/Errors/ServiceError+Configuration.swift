package import Diagnostics

/// What can be wrong with `signet.yaml`, files, secrets and the state of an instance.
extension ServiceError {
    static func coreDumpsNotForbidden(_ reason: String) -> ServiceError {
        ServiceError(
            code: .coreDumpsNotForbidden,
            headline: "The system does not let this process forbid core dumps: \(reason).",
            hresult: .accessDenied,
            advice: ["Let the process lower RLIMIT_CORE and clear PR_SET_DUMPABLE; look at its seccomp filter."])
    }

    package static func notAnInstance(_ directory: String) -> ServiceError {
        ServiceError(
            code: .notFound, headline: "There is no instance in \"\(directory)\": it has no signet.yaml.",
            hresult: .fileNotFound,
            advice: ["Make one with `signet init root` or `signet init subordinate`, or name another directory."])
    }

    package static func invalid(_ file: String, _ field: String, _ reason: String) -> ServiceError {
        ServiceError(
            code: .invalidField, headline: "\(file): \(field): \(reason).", hresult: .invalidData,
            facts: [Fact("file", file), Fact("field", field)],
            advice: ["Correct the field; docs/configuration.md lists each with its meaning."])
    }

    /// The text is not repeated: somebody may have put the PIN itself there.
    package static func invalidPINSource() -> ServiceError {
        ServiceError(
            code: .invalidPINSource, headline: "The PIN source is not one of `prompt`, `file:PATH` and `env:NAME`.",
            hresult: .invalidParameter,
            advice: ["Put the PIN into a file with mode 0600 and name it as file:PATH; a PIN is never an argument."])
    }

    package static func exists(_ path: String, _ what: String) -> ServiceError {
        ServiceError(
            code: .exists, headline: "\(what) \"\(path)\" exists already and is not overwritten.",
            hresult: .fileExists, advice: ["Name another path, or move the existing one away yourself."])
    }

    package static func notWritten(_ path: String, _ reason: String) -> ServiceError {
        ServiceError(
            code: .notWritten, headline: "Could not write \"\(path)\": \(reason).", hresult: .writeFault,
            advice: ["Check that the directory exists, is yours and has room."])
    }

    package static func unreadable(_ path: String, _ reason: String) -> ServiceError {
        ServiceError(
            code: .unreadable, headline: "Could not read \"\(path)\": \(reason).", hresult: .fileNotFound,
            advice: ["Check the path and its permissions."])
    }

    package static func secretUnavailable(_ what: String, _ reason: String, _ advice: Advice) -> ServiceError {
        ServiceError(
            code: .secretUnavailable, headline: "Could not get \(what): \(reason).", hresult: .notAuthenticated,
            advice: [advice])
    }

    package static func cancelled(_ what: String) -> ServiceError {
        ServiceError(
            code: .cancelled, headline: "Asking for \(what) was cancelled.", hresult: .cancelledByUser,
            advice: ["Run the command again when you have it."])
    }

    package static func looseFileMode(_ path: String, mode: String) -> ServiceError {
        ServiceError(
            code: .looseFileMode, headline: "\"\(path)\" holds a secret and has mode \(mode).", hresult: .accessDenied,
            advice: [Advice("Take the rights of others away: chmod 600 \(path)")])
    }

    package static func noProfile(_ tokens: [TokenIdentification], known: [String]) -> ServiceError {
        ServiceError(
            code: .noProfile,
            headline: "No device profile fits the token \(tokens.map(\.description).joined(separator: ", ")).",
            hresult: .cardUnsupported, facts: [Fact("profiles", known.joined(separator: ", "))],
            advice: ["Name the profile (`profile:` or --profile), or write one: hsm-profiles/README.md."])
    }

    package static func tokenNotPresent(_ reference: String, present: [TokenIdentification]) -> ServiceError {
        ServiceError(
            code: .tokenNotPresent, headline: "No token is present that \(reference) names.", hresult: .noSmartCard,
            facts: present.map { Fact("token present", $0.description) },
            advice: ["Connect the token, or correct the reference."])
    }

    package static func inUse(_ directory: String) -> ServiceError {
        ServiceError(
            code: .inUse, headline: "Another signetd runs the instance \"\(directory)\".", hresult: .alreadyExists,
            advice: ["Stop the other one first, or name another instance."])
    }

    package static func notInstalled(_ name: String) -> ServiceError {
        ServiceError(
            code: .notInstalled, headline: "\"\(name)\" has no CA certificate yet, so it cannot issue or start.",
            hresult: .invalidCACertificate,
            advice: ["Have its request signed by the parent CA, then run `signet ca install`."])
    }

    package static func moduleEnvironmentConflict(_ name: String, token: String) -> ServiceError {
        ServiceError(
            code: .moduleEnvironmentConflict,
            headline: "Two tokens of one process need different values of \(name).",
            hresult: .invalidParameter, facts: [Fact("token", token)],
            advice: ["Give both tokens one module configuration, or use them from two processes."])
    }
}
