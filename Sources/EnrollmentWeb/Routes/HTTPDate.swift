import Foundation

/// `IMF-fixdate` (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. Names of days and months are written
/// here and not taken from a formatter, whose locale differs from machine to machine.
enum HTTPDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static func text(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let part = { (component: Calendar.Component) in calendar.component(component, from: date) }
        return "\(days[part(.weekday) - 1]), \(padded(part(.day))) \(months[part(.month) - 1]) \(part(.year)) "
            + "\(padded(part(.hour))):\(padded(part(.minute))):\(padded(part(.second))) GMT"
    }

    private static func padded(_ number: Int) -> String {
        number < 10 ? "0\(number)" : String(number)
    }
}
