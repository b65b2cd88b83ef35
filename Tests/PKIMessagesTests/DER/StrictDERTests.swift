import Foundation
import SwiftASN1
import TestSupport
import Testing

@testable import PKIMessages

@Suite struct StrictDERTests {
    private func code(_ bytes: [UInt8]) -> PKIMessageError.Code? {
        do {
            _ = try StrictDER.node(bytes, what: "test")
            return nil
        } catch {
            return (error as? PKIMessageError)?.code
        }
    }

    static let notDER: [(bytes: [UInt8], code: PKIMessageError.Code)] = [
        ([], .malformed),
        ([0x30], .malformed),
        ([0x30, 0x03, 0x02, 0x01], .malformed),
        ([0x30, 0x80, 0x00, 0x00], .malformed),
        ([0x30, 0x81, 0x03, 0x02, 0x01, 0x00], .malformed),
        ([0x30, 0x03, 0x02, 0x02, 0x01], .malformed),
        ([0x30, 0x03, 0x02, 0x01, 0x00, 0x00], .trailingBytes),
        ([0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], .malformed),
        ([0x30, 0x88, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .malformed),
        ([0x00, 0x00], .malformed),
    ]

    @Test("What is not DER is refused with its own code", arguments: notDER)
    func refusals(_ sample: (bytes: [UInt8], code: PKIMessageError.Code)) {
        #expect(self.code(sample.bytes) == sample.code)
    }

    @Test("Nesting of 32 levels is read, 33 are refused as too deep")
    func depth() {
        func nested(_ levels: Int) -> [UInt8] {
            (0..<levels).reduce(into: [UInt8]()) { bytes, _ in
                bytes = DERHeader.encoded(identifier: 0x30, contentBytes: bytes.count) + bytes
            }
        }
        #expect(self.code(nested(32)) == nil)
        #expect(self.code(nested(33)) == .tooDeep)
        #expect(self.code(nested(5000)) == .tooDeep)
    }

    @Test("A message of more than a mebibyte is refused before it is read")
    func size() {
        let limit = DERLimits.maximumMessageBytes
        #expect(self.code([UInt8](repeating: 0x30, count: limit + 1)) == .tooLarge)
        let largest =
            DERHeader.encoded(identifier: 0x04, contentBytes: limit - 5) + [UInt8](repeating: 0, count: limit - 5)
        #expect(largest.count == limit)
        #expect(self.code(largest) == nil)
    }

    @Test(
        "Integers that are not minimal are refused",
        arguments: [[0x02, 0x02, 0x00, 0x01], [0x02, 0x02, 0xFF, 0x80], [0x02, 0x00]] as [[UInt8]])
    func integers(_ bytes: [UInt8]) {
        #expect(throws: PKIMessageError.malformed("", "")) {
            try StrictDER.parse(Int.self, bytes, what: "test")
        }
    }

    @Test("Content octets of a positive number are minimal and have a sign octet when the top bit is set")
    func contents() {
        #expect(DERInteger.content(magnitude: []) == [0])
        #expect(DERInteger.content(magnitude: [0, 0, 0x7F]) == [0x7F])
        #expect(DERInteger.content(magnitude: [0x80]) == [0, 0x80])
        #expect(DERInteger.isMinimalNonNegative([0, 0x80]))
        #expect(!DERInteger.isMinimalNonNegative([0, 0x7F]))
        #expect(!DERInteger.isMinimalNonNegative([0x80]))
        #expect(!DERInteger.isMinimalNonNegative([]))
    }
}

@Suite struct EncodedTimeTests {
    @Test(
        "UTCTime until the end of 2049, GeneralizedTime from 2050 on",
        arguments: [
            (-631_152_000, "170d" + "3530303130313030303030305a"),
            (0, "170d" + "3730303130313030303030305a"),
            (951_782_400, "170d" + "3030303232393030303030305a"),
            (2_524_607_999, "170d" + "3439313233313233353935395a"),
            (2_524_608_000, "180f" + "32303530303130313030303030305a"),
            (253_402_300_799, "180f" + "39393939313233313233353935395a"),
        ] as [(Double, String)])
    func forms(_ seconds: Double, _ expected: String) throws {
        let date = Date(timeIntervalSince1970: seconds)
        let der = try StrictDER.serialize { try EncodedTime.write(date, into: &$0) }
        #expect(der.hex == expected)
        #expect(try EncodedTime.read(StrictDER.node(der, what: "time")) == date)
    }

    @Test("Years before 1950 and after 9999 cannot be written", arguments: [-631_152_001, 253_402_300_800] as [Double])
    func range(_ seconds: Double) {
        #expect(throws: PKIMessageError.invalidValue("", "")) {
            try StrictDER.serialize { try EncodedTime.write(Date(timeIntervalSince1970: seconds), into: &$0) }
        }
    }

    @Test("The calendar agrees with Foundation's over all leap rules")
    func calendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for day in stride(from: -7300, to: 200_000, by: 37) {
            let date = Date(timeIntervalSince1970: Double(day) * 86400 + Double(abs(day) % 86400))
            let expected = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
            let civil = try CivilTime(date)
            #expect([civil.year, civil.month, civil.day] == [expected.year, expected.month, expected.day])
            #expect([civil.hours, civil.minutes, civil.seconds] == [expected.hour, expected.minute, expected.second])
            #expect(civil.date == date)
        }
    }

    @Test("A fraction of a second is refused")
    func fractions() {
        let der: [UInt8] = [0x18, 0x11] + Array("20500101000000.5Z".utf8)
        #expect(throws: PKIMessageError.malformed("", "")) {
            try StrictDER.wrapping("time") { try EncodedTime.read(StrictDER.node(der, what: "time")) }
        }
    }
}
