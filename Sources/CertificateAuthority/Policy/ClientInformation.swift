import PKIMessages
import SwiftASN1

/// What a requester's program says of itself (MS-WCCE 2.2.2.7.4): `SEQUENCE { clientId INTEGER, ... }`.
enum ClientInformation {
    /// The program's number; strings after it are not looked at.
    static func identifier(of der: [UInt8]) throws -> Int {
        let node = try StrictDER.node(der, what: "client information")
        return try StrictDER.wrapping("client information") {
            try DER.sequence(node, identifier: .sequence) { nodes in
                let identifier = try Int(derEncoded: &nodes)
                while nodes.next() != nil {}
                return identifier
            }
        }
    }
}
