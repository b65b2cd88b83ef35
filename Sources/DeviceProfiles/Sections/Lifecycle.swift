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
            /// By a program that initialized the module after they were made.
            case atInitialization = "at-init"
        }

        /// What brings a device back that was gone.
        public enum Recovery: String, Hashable, Sendable, CaseIterable {
            /// A new session.
            case reopen
            /// `C_GetSlotList`, then a new session.
            case rescan
            /// `C_Finalize` and `C_Initialize`.
            case finalize
        }

        /// What calls return while the token is out.
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

        /// How the maker backs keys up that may not leave the device, for people.
        public var keyBackup: ProfileValue<String> = .unknown

        /// Everything unknown.
        public init() {}
    }
}

extension DeviceProfile.Lifecycle: ProfileTable {
    static var table: [SectionField<Self>] {
        [
            SectionField("removed_rv", \.removed, .returnValue),
            SectionField("info_after_removal", \.infoAfterRemoval, .choice),
            SectionField("rescan_needed", \.rescanNeeded, .boolean),
            SectionField("stale_session_rv", \.staleSession, .returnValue),
            SectionField("stale_handle_rv", \.staleHandle, .returnValue),
            SectionField("hang_s", \.hangSeconds, .limit),
            SectionField("recover", \.recovery, .choice),
            SectionField("throttled_rv", \.throttled, .list(of: .returnValue)),
            SectionField("fork", \.fork, .choice),
            SectionField("visibility", \.visibility, .choice),
            SectionField("op_sticky", \.operationSticky, .boolean),
            SectionField("key_backup", \.keyBackup, .text),
        ]
    }

    func check(_ section: ProfileSection) {
        guard let recovery = self.recovery.value, let needed = self.rescanNeeded.value else { return }
        if recovery == .reopen, needed { section.report("recover", "reopen is not enough where rescan_needed is true") }
        if recovery == .rescan, !needed {
            section.report("recover", "rescan is not what brings it back: rescan_needed is false")
        }
    }

    /// Whether `C_GetSlotList` must be called before the token is seen again. Where nobody knows, a token needs the
    /// look that a card under OpenSC was measured to need.
    public var needsRescan: Bool { self.rescanNeeded.value ?? (self.recovery.value != .reopen) }
}
