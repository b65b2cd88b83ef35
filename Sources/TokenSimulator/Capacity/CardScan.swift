internal import CPKCS11

/// Counts the objects on a token of the module inside, in a session of its own so that a search that the program
/// has open is not disturbed.
struct CardScan {
    let module: InnerModule

    private var inner: CK_FUNCTION_LIST { self.module.functions.pointee }

    /// - Returns: the objects, and whether private ones could be seen; `nil` when the token gives no session, as
    ///   when the program has used them up.
    func run(slot: CK_SLOT_ID) -> (census: Census, isComplete: Bool)? {
        guard let session = self.open(slot) else { return nil }
        defer { _ = self.inner.C_CloseSession?(session) }  // a result would change nothing
        var info = CK_SESSION_INFO()
        guard self.inner.C_GetSessionInfo?(session, &info) == CKR_OK, let objects = self.tokenObjects(session) else {
            return nil
        }
        var census = Census()
        for object in objects {
            census.add(ObjectDescriptor(StoredAttributes(module: self.module, session: session, object: object)))
        }
        return (census, info.state == CKS_RW_USER_FUNCTIONS || info.state == CKS_RO_USER_FUNCTIONS)
    }

    /// The handles of the objects that can be seen; empty when the token gives no session.
    func objects(slot: CK_SLOT_ID) -> [CK_OBJECT_HANDLE] {
        guard let session = self.open(slot) else { return [] }
        defer { _ = self.inner.C_CloseSession?(session) }  // a result would change nothing
        return self.tokenObjects(session) ?? []
    }

    /// What the objects are called that can be seen and that are wanted; none when the token gives no session.
    func identities(slot: CK_SLOT_ID, where isWanted: (StoredAttributes) -> Bool) -> Set<ObjectIdentity> {
        guard let session = self.open(slot) else { return [] }
        defer { _ = self.inner.C_CloseSession?(session) }  // a result would change nothing
        let objects = self.tokenObjects(session) ?? []
        return Set(
            objects.map { StoredAttributes(module: self.module, session: session, object: $0) }.filter(isWanted)
                .map(\.identity))
    }

    /// A session that may write, since none that may not can be opened while the security officer is logged in;
    /// a session that may only read on a token that is write-protected.
    private func open(_ slot: CK_SLOT_ID) -> CK_SESSION_HANDLE? {
        for flags in [CKF_SERIAL_SESSION | CKF_RW_SESSION, CKF_SERIAL_SESSION] {
            var session = CK_SESSION_HANDLE()
            if self.inner.C_OpenSession?(slot, flags, nil, nil, &session) == CKR_OK { return session }
        }
        return nil
    }

    private func tokenObjects(_ session: CK_SESSION_HANDLE) -> [CK_OBJECT_HANDLE]? {
        var isToken: CK_BBOOL = 1
        let started = withUnsafeMutablePointer(to: &isToken) { value in
            var attribute = CK_ATTRIBUTE(type: CKA_TOKEN, pValue: value, ulValueLen: 1)
            return self.inner.C_FindObjectsInit?(session, &attribute, 1)
        }
        guard started == CKR_OK else { return nil }
        defer { _ = self.inner.C_FindObjectsFinal?(session) }  // the session is closed next
        var objects: [CK_OBJECT_HANDLE] = []
        var buffer = [CK_OBJECT_HANDLE](repeating: 0, count: 64)
        while true {
            var count: CK_ULONG = 0
            guard self.inner.C_FindObjects?(session, &buffer, 64, &count) == CKR_OK else { return nil }
            if count == 0 { return objects }
            objects += buffer.prefix(Int(count))
        }
    }
}
