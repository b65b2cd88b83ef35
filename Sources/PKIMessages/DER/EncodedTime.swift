package import SwiftASN1

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// `Time ::= CHOICE { utcTime UTCTime, generalTime GeneralizedTime }` (RFC 5280, section 4.1.2.5): UTCTime until the end of
/// 2049, GeneralizedTime from 2050 on, whole seconds, always in UTC.
package enum EncodedTime {
    /// 2050-01-01T00:00:00Z: from then on GeneralizedTime.
    static let firstGeneralized = Date(timeIntervalSince1970: 2_524_608_000)

    /// Writes `date`, cut to the second.
    ///
    /// - Throws: ``PKIMessageError`` with code `invalidValue` for a year before 1950 or after 9999.
    package static func write(_ date: Date, into coder: inout DER.Serializer) throws {
        let civil = try CivilTime(date)
        if civil.year < 2050 {
            try coder.serialize(
                UTCTime(
                    year: civil.year, month: civil.month, day: civil.day, hours: civil.hours, minutes: civil.minutes,
                    seconds: civil.seconds))
        } else {
            try self.writeGeneralized(date, into: &coder)
        }
    }

    /// Writes `date` as GeneralizedTime whatever the year, where the definition has no choice.
    package static func writeGeneralized(_ date: Date, into coder: inout DER.Serializer) throws {
        let civil = try CivilTime(date)
        try coder.serialize(
            GeneralizedTime(
                year: civil.year, month: civil.month, day: civil.day, hours: civil.hours, minutes: civil.minutes,
                seconds: civil.seconds, fractionalSeconds: 0))
    }

    /// Reads either form. Fractions of a second are refused, as RFC 5280 does.
    package static func read(_ node: ASN1Node) throws -> Date {
        if node.identifier == .utcTime {
            let time = try UTCTime(derEncoded: node)
            return CivilTime(
                year: time.year, month: time.month, day: time.day, hours: time.hours, minutes: time.minutes,
                seconds: time.seconds
            ).date
        }
        let time = try GeneralizedTime(derEncoded: node)
        guard time.rawFractionalSeconds.isEmpty else {
            throw ASN1Error.invalidASN1Object(reason: "a time has fractions of a second")
        }
        return CivilTime(
            year: time.year, month: time.month, day: time.day, hours: time.hours, minutes: time.minutes,
            seconds: time.seconds
        ).date
    }
}

/// A moment of the proleptic Gregorian calendar in UTC, without leap seconds.
struct CivilTime: Hashable {
    let year, month, day, hours, minutes, seconds: Int

    init(year: Int, month: Int, day: Int, hours: Int, minutes: Int, seconds: Int) {
        self.year = year
        self.month = month
        self.day = day
        self.hours = hours
        self.minutes = minutes
        self.seconds = seconds
    }

    init(_ date: Date) throws {
        let seconds = date.timeIntervalSince1970.rounded(.down)
        // 1950-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
        guard seconds >= -631_152_000, seconds <= 253_402_300_799 else {
            throw PKIMessageError.invalidValue("time", "the year is before 1950 or after 9999")
        }
        let whole = Int(seconds)
        let secondOfDay = ((whole % 86400) + 86400) % 86400
        // Days since 0000-03-01, so that the leap day is the last of its year; 400 years have 146 097 days.
        let days = (whole - secondOfDay) / 86400 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        self.month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
        self.day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        self.hours = secondOfDay / 3600
        self.minutes = secondOfDay / 60 % 60
        self.seconds = secondOfDay % 60
    }

    var date: Date {
        let shiftedYear = self.month <= 2 ? self.year - 1 : self.year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear % 400
        let dayOfYear = (153 * (self.month > 2 ? self.month - 3 : self.month + 9) + 2) / 5 + self.day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Date(timeIntervalSince1970: Double(days * 86400 + self.hours * 3600 + self.minutes * 60 + self.seconds))
    }
}
