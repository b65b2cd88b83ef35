/// The version of this program.
package enum CAServiceVersion {
    package static let text = "0.1.0"
}
