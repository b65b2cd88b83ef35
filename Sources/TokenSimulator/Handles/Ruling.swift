internal import Diagnostics

/// Whether a call may go on.
enum Ruling<Value> {
    case granted(Value)
    case refused(ReturnValue)
}

extension Ruling: Sendable where Value: Sendable {}
