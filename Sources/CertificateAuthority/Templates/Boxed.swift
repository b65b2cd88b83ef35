/// A large value in a box of its own, so that whoever passes its holder on counts one reference and not one for each
/// field. Setting it makes another box: holders share nothing that changes.
@propertyWrapper
package struct Boxed<Value: Sendable>: Sendable {
    private final class Box: Sendable {
        let value: Value

        init(_ value: Value) {
            self.value = value
        }
    }

    private var box: Box

    package init(wrappedValue: Value) {
        self.box = Box(wrappedValue)
    }

    package var wrappedValue: Value {
        get { self.box.value }
        set { self.box = Box(newValue) }
    }
}
