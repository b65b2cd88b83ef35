import ArgumentParser
import CAService
import CertificateAuthority
import Diagnostics
import PKIMessages

extension WindowsTool {
    static let settingVerbs: [WindowsVerb] = [
        WindowsVerb("setreg", "ca\\Name Value", "Set a configuration value: a number, a text, +FLAG or -FLAG", 2...2) {
            try await $0.setRegistry()
        } note: {
            "The CertSvc service may need to be restarted for changes to take effect."
        },
        WindowsVerb("getreg", "[ca\\Name]", "Display configuration values", 0...1) { try await $0.getRegistry() },
    ]
}

extension WindowsSession {
    fileprivate func setRegistry() async throws {
        let setting = try RegistrySetting.named(self.values[0])
        let instance = try self.instance()
        let old = try await setting.read(instance)
        let new = try setting.value(self.values[1], changing: old)
        try await setting.write(new, instance, instance.localOperator())
        // As it is read now: what was written, or the error says why not.
        let changed = try Instance.open(instance.directory, secrets: .interactive)
        self.say(instance, "Old Value", setting, old)
        Console.say("")
        self.say(nil, "New Value", setting, try await setting.read(changed))
    }

    fileprivate func getRegistry() async throws {
        let instance = try await self.instance(for: .readConfiguration, to: "show settings")
        let settings = try self.values.first.map { [try RegistrySetting.named($0)] } ?? RegistrySetting.all
        Console.say("\(instance.layout.configurationPath):")
        Console.say("")
        for setting in settings { self.say(setting, try await setting.read(instance)) }
    }

    private func say(_ instance: Instance?, _ title: String, _ setting: RegistrySetting, _ value: RegistryValue) {
        if let instance {
            Console.say("\(instance.layout.configurationPath):")
            Console.say("")
        }
        Console.say("\(title):")
        self.say(setting, value)
    }

    private func say(_ setting: RegistrySetting, _ value: RegistryValue) {
        switch value {
        case .text(let text): Console.say("  \(setting.name) \(setting.type) = \(text)")
        case .number(let number):
            let hex = String(number, radix: 16)
            Console.say("  \(setting.name) \(setting.type) = \(number < 10 ? hex : "\(hex) (\(number))")")
            for (name, bit) in setting.bits where number & bit != 0 {
                Console.say("    \(name) -- \(String(bit, radix: 16))" + (bit < 10 ? "" : " (\(bit))"))
            }
        }
    }
}

extension RegistrySetting {
    /// `+NAME` and `-NAME` set and clear bits of what is there; anything else replaces it.
    func value(_ text: String, changing old: RegistryValue) throws -> RegistryValue {
        guard let sign = text.first, "+-".contains(sign) else { return .text(text) }
        let name = String(text.dropFirst())
        let bit = self.bits.first { $0.name.lowercased() == name.lowercased() }?.bit
        guard let bit = try bit ?? (self.bits.isEmpty ? nil : RegistryValue.text(name).number()) else {
            throw WindowsUsageError("\(self.name) has no flags")
        }
        let number = try old.number()
        return .number(sign == "+" ? number | bit : number & ~bit)
    }
}
