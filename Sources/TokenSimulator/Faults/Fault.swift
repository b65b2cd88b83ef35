package import Diagnostics

/// What is to go wrong, and at which call.
package struct Fault: Hashable, Sendable {
    /// Which of the calls that it is for a fault meets. Size queries and calls that failed by themselves do not
    /// count.
    package enum Trigger: Hashable, Sendable {
        /// The n-th call, 1 for the first, once.
        case call(Int)
        /// Every k-th call.
        case every(Int)
        /// Each call with this probability, by the seed of the script.
        case probability(Double)
    }

    /// What happens to the card or to what the call writes.
    package enum Effect: String, Hashable, Sendable, CaseIterable {
        /// The card is pulled out; the call meets that.
        case eject
        /// The card is put back.
        case insert
        /// Both, faster than anybody looks.
        case reinsert
        /// The user's PIN is locked.
        case lockPIN = "lock-pin"
        /// The write is acknowledged and nothing is written.
        case lose
        /// The process is killed. A key pair's private half is written by then, and its public half is not.
        case crash
        /// The handle of the key that the call begins to use is another key's from now on, and nothing tells so.
        case anotherKey = "another-key"

        /// True for an effect that decides how the call itself is done.
        var isOnCall: Bool { self == .lose || self == .crash || self == .anotherKey }
    }

    /// The key that a call is to use, or the object that it is to make, for a fault to count it.
    package struct KeyFilter: Hashable, Sendable {
        /// `CKA_LABEL`
        package var label: String?
        /// `CKA_ID`
        package var id: [UInt8]?

        package init(label: String? = nil, id: [UInt8]? = nil) {
            self.label = label
            self.id = id
        }

        func fits(_ subject: KeySubject?) -> Bool {
            guard let subject else { return false }
            return (self.label == nil || self.label == subject.label) && (self.id == nil || self.id == subject.id)
        }
    }

    /// `nil` is every function but `C_Initialize` and `C_Finalize`.
    package var functions: Set<FunctionName>?
    package var key: KeyFilter?
    package var trigger: Trigger
    /// Seconds that the call stands still before anything else.
    package var hang: Double?
    /// True to stand still as long as calls of the card were seen to hang (`lifecycle.hang_s` of its profile).
    package var hangsAsProfile: Bool
    /// `nil` lets the call go on after ``hang`` and ``effect``.
    package var returns: ReturnValue?
    /// True to return what the card returns that has too much to do (the first of `lifecycle.throttled_rv`).
    package var throttles: Bool
    /// True to act after the work was done and succeeded, false to act instead of doing it.
    package var after: Bool
    package var effect: Effect?

    package init(
        functions: Set<FunctionName>?, trigger: Trigger, key: KeyFilter? = nil, hang: Double? = nil,
        hangsAsProfile: Bool = false, returns: ReturnValue? = nil, throttles: Bool = false, after: Bool = false,
        effect: Effect? = nil
    ) {
        self.functions = functions
        self.trigger = trigger
        self.key = key
        self.hang = hang
        self.hangsAsProfile = hangsAsProfile
        self.returns = returns
        self.throttles = throttles
        self.after = after
        self.effect = effect
    }

    func concerns(_ call: Call) -> Bool {
        let isOfFunction = self.functions?.contains(call.function) ?? call.function.isCountedAmongAny
        // What the profile of the card does not know cannot happen to it.
        let isKnown = (!self.hangsAsProfile || call.hang != nil) && (!self.throttles || call.throttled != nil)
        return isOfFunction && isKnown && (self.key?.fits(call.subject) ?? true)
    }

    /// True when the call returns something else than what its work gives.
    var replacesResult: Bool { self.returns != nil || self.throttles }

    /// What a call returns that meets the fault; `nil` when it goes on.
    func result(of call: Call) -> ReturnValue? { self.throttles ? call.throttled : self.returns }

    /// Seconds that a call stands still that meets the fault.
    func pause(of call: Call) -> Double { self.hangsAsProfile ? call.hang ?? 0 : self.hang ?? 0 }
}

/// What a key or object is called.
struct KeySubject: Hashable, Sendable {
    var label: String?
    var id: [UInt8]?
}

/// A call, as faults see it.
struct Call: Sendable {
    let function: FunctionName
    /// True when the caller only asks how long the output will be; such a call never meets a fault.
    var isSizeQuery = false
    var subject: KeySubject?
    /// For how many seconds a call of the card hangs; `nil` when its profile does not know.
    var hang: Double?
    /// What the card returns when it has too much to do; `nil` when its profile does not know.
    var throttled: ReturnValue?
}

extension FunctionName {
    /// Everything but start and end, which happen outside of what a program does with a card.
    var isCountedAmongAny: Bool {
        switch self {
        case .initialize, .finalize, .getFunctionList, .getInfo, .getInterfaceList, .getInterface: false
        default: true
        }
    }
}
