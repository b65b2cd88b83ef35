import Diagnostics

extension WindowsTool {
    /// Verbs stand beside what they are about; each group is one extension.
    static let certutil = WindowsTool(
        name: "CertUtil",
        verbs: messageVerbs + archivedKeyVerbs + keyFileVerbs + databaseVerbs + authorityVerbs + settingVerbs
            + backupVerbs,
        defaultVerb: "dump", elsewhere: certutilElsewhere,
        failure: { verb, code in
            ["CertUtil: -\(verb) command FAILED: \(code.toolCode)", "CertUtil: \(code.text)"]
        }, success: { "CertUtil: -\($0) command completed successfully." })

    private static let certutilElsewhere = [
        "addstore":
            "There is no certificate store here: add a recovery agent with `signet kra add`, and give a root to "
            + "clients with `signet certificate export`.",
        "delstore": "There is no certificate store here: remove a recovery agent with `signet kra remove`.",
        "store": "There is no certificate store here: see `signet ca show` and `signet kra list`.",
        "viewstore": "There is no certificate store here: see `signet ca show` and `signet kra list`.",
        "repairstore":
            "Keys are found on tokens by their public key, so that there is no link to repair: prove them with "
            + "`certutil -verifykeys`.",
        "ds": "There is no directory service: see `signet kra list` and `signet template list`.",
        "dspublish": "There is no directory service: CA certificates and CRLs are in the instance's publish directory.",
        "sign":
            "A CA key signs only what is on record: publish a list with `certutil -CRL`, and renew with `signet ca renew`.",
        "shutdown": "Stop the service with the system's service manager.",
        "installcert": "Use `signet ca install`.", "renewcert": "Use `signet ca renew`.",
        "catemplates": "Use `signet template list`.",
        "template": "Use `signet template list` and `signet template show`.",
        "setcatemplates": "Use `signet template enable` and `signet template disable`.",
        "setattributes": "Use `signet request set-attributes`.", "setextension": "Use `signet request set-extension`.",
        "deleterow": "Use `signet database prune`.", "vroot": "The service has /certsrv by itself.",
        "convertepf":
            "No public description of that format is known: recover into a PKCS #12 with `certutil -recoverkey`.",
        "scinfo": "Use `signet token list`.", "csplist": "Use `signet profile list`.",
        "key": "Use `signet token list`.",
        "error": "Use `signet explain`.", "getconfig": "Name the instance with SIGNET_INSTANCE.",
    ]
}
