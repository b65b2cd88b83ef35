import SwiftASN1
package import X509

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

extension ExtensionEncoding {
    /// cRLNumber (RFC 5280, section 5.2.3).
    package static func crlNumber(_ number: UInt64) throws -> Certificate.Extension {
        try self.make(OID.crlNumber) { try $0.serialize(number) }
    }

    /// reasonCode of a CRL entry (RFC 5280, section 5.3.1), an ENUMERATED.
    package static func crlReason(_ reason: CRLReason) throws -> Certificate.Extension {
        try self.make(OID.crlReason) { coder in
            coder.appendPrimitiveNode(identifier: .enumerated) { $0.append(UInt8(reason.rawValue)) }
        }
    }

    /// Next CRL publication, 1.3.6.1.4.1.311.21.4: a Time.
    package static func microsoftNextPublish(_ date: Date) throws -> Certificate.Extension {
        try self.make(OID.msNextPublish) { try EncodedTime.write(date, into: &$0) }
    }
}
