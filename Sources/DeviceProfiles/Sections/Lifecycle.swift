public import Diagnostics

extension DeviceProfile {
    /// What happens to sessions and handles when a device goes away, a process forks or an operation fails.
    public struct Lifecycle: Hashable, Sendable {
        /// What `C_GetSessionInfo` and `C_GetTokenInfo` say after removal.
        public enum InfoAfterRemoval: String, Hashable, Sendable, CaseIterable {
            /// They succeed as if nothing had happened.
            case ok
            case error
        }

        /// What a child process gets from a module that its parent initialized.
        public enum Fork: String, Hashable, Sendable, CaseIterable {
            /// The parent's sessions.
            case shared
            /// `CKR_CRYPTOKI_NOT_INITIALIZED`.
            case refused
        }

        /// When objects that others made are seen.
        public enum Visibility: String, Hashable, Sendable, CaseIterable {
            case live
            case atInit = "at-init"
        }

        /// What calls return while the token is out.
        /// What brings a device back that was gone.
        public enum Recovery: String, Hashable, Sendable, CaseIterable {
            /// A new session.
            case reopen
            /// `C_GetSlotList`, then a new session.
            case rescan
            /// `C_Finalize` and `C_Initialize`.
            case finalize
        }

        public var removed: ProfileValue<ReturnValue> = .unknown
        public var infoAfterRemoval: ProfileValue<InfoAfterRemoval> = .unknown
        /// Whether `C_GetSlotList` must be called before the token is seen again.
        public var rescanNeeded: ProfileValue<Bool> = .unknown
        /// What a session from before the removal gives.
        public var staleSession: ProfileValue<ReturnValue> = .unknown
        /// What an object handle from before the removal gives in a new session.
        public var staleHandle: ProfileValue<ReturnValue> = .unknown
        public var fork: ProfileValue<Fork> = .unknown
        public var visibility: ProfileValue<Visibility> = .unknown
        /// Seconds after which a call that has not returned hangs; no limit for a device that never does.
        public var hangSeconds: ProfileValue<Limit> = .unknown
        public var recovery: ProfileValue<Recovery> = .unknown
        /// What the device returns when it is asked too much at once.
        public var throttled: ProfileValue<[ReturnValue]> = .unknown
        /// Whether a failed operation stays active in its session.
        public var operationSticky: ProfileValue<Bool> = .unknown

        /// Everything unknown.
        public init() {}
    }
}

extension DeviceProfile.Lifecycle {
    init(reading section: ProfileSection) {
        section.allow([
            "removed_rv", "info_after_removal", "rescan_needed", "stale_session_rv", "stale_handle_rv", "fork",
            "hang_s", "recover", "throttled_rv", "visibility", "op_sticky",
        ])
        self.removed = section.value("removed_rv") { $0.returnValue() }
        self.infoAfterRemoval = section.value("info_after_removal") { $0.choice() }
        self.rescanNeeded = section.value("rescan_needed") { $0.boolean() }
        self.staleSession = section.value("stale_session_rv") { $0.returnValue() }
        self.staleHandle = section.value("stale_handle_rv") { $0.returnValue() }
        self.fork = section.value("fork") { $0.choice() }
        self.visibility = section.value("visibility") { $0.choice() }
        self.hangSeconds = section.value("hang_s") { $0.limit() }
        self.recovery = section.value("recover") { $0.choice() }
        self.throttled = section.value("throttled_rv") { $0.list { $0.returnValue() } }
        self.operationSticky = section.value("op_sticky") { $0.boolean() }
    }
}
