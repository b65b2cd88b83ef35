import Foundation

/// Times as Windows prints them in English: `1/12/2002 1:24 PM`, with `-seconds` `1/12/2002 1:24 PM 05.000s`, with `-gmt`
/// `1/12/2002 1:24 PM GMT`.
struct WindowsTime: Sendable {
    private let calendar: Calendar
    private let hasSeconds: Bool
    private let suffix: String

    /// - Parameter zone: of the machine, unless GMT is asked for.
    init(gmt: Bool, seconds: Bool, zone: TimeZone = .current) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = gmt ? .gmt : zone
        self.calendar = calendar
        self.hasSeconds = seconds
        self.suffix = gmt ? " GMT" : ""
    }

    func text(_ date: Date) -> String {
        let parts = self.calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second, .nanosecond], from: date)
        let hour = parts.hour ?? 0
        let minute = String(format: "%02d", parts.minute ?? 0)
        var text = "\(parts.month ?? 0)/\(parts.day ?? 0)/\(parts.year ?? 0) \((hour + 11) % 12 + 1):\(minute) "
        text += hour < 12 ? "AM" : "PM"
        if self.hasSeconds {
            text += String(format: " %02d.%03ds", parts.second ?? 0, (parts.nanosecond ?? 0) / 1_000_000)
        }
        return text + self.suffix
    }
}
