package import CertificateAuthority
import Glibc

extension Principal {
    /// Whoever runs a local command on the instance. Reading and writing its files is what makes them an operator, so
    /// they hold every role; the audit trail names them by host and account.
    package static var localOperator: Principal {
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let hostName = String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let account = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "uid-\(geteuid())"
        return Principal(name: "\(hostName)\\\(account)", roles: Set(Role.allCases))
    }
}
