import ArgumentParser
import CAService
import PKIMessages
import SecretMemory

/// An enrolment service that a command names, whatever its options are called.
struct ServiceAccess {
    let url: String?
    let user: String?
    let password: String
    let tlsTrust: String?

    /// - Parameters:
    ///   - option: the option of the address.
    ///   - dependent: options that mean nothing without it.
    /// - Throws: a usage error when one of them stands alone.
    func validate(option: String, dependent: String) throws {
        guard self.url != nil || (self.user == nil && self.tlsTrust == nil) else {
            throw ValidationError("\(dependent) need \(option).")
        }
    }

    /// - Returns: `nil` where no service is named.
    func client() throws -> CertsrvClient? {
        guard let url = self.url else { return nil }
        let credentials = try self.user.map { user in
            HTTPCredentials(
                user: user,
                password: try SecretInput.system.read(PINSource(self.password), what: "the password of \(user)"))
        }
        return try CertsrvClient(
            url: url, credentials: credentials, trust: HTTPTrust(certificatesPath: self.tlsTrust))
    }
}
