"""Signs while the card is pulled and put back, with nothing but the standard library.

    SIGNET_SIMULATOR=simulator.yaml python3 card_removed.py libsignet-token-simulator.so PIN LABEL

Exit status 0: the program met CKR_DEVICE_REMOVED, looked for the card again, logged in, found its key and signed.
"""

import ctypes
import sys

ULONG, HANDLE = ctypes.c_ulong, ctypes.c_ulong
OK, DEVICE_REMOVED = 0, 0x32
SERIAL_RW, USER = 6, 1
CKA_CLASS, CKA_LABEL, PRIVATE_KEY, CKM_ECDSA = 0, 3, 3, 0x1041

# The places of the functions in CK_FUNCTION_LIST, after the version (PKCS #11 v2.40, section 3.6).
PLACES = {
    "C_Initialize": 0, "C_Finalize": 1, "C_GetSlotList": 4, "C_OpenSession": 12, "C_Login": 18,
    "C_FindObjectsInit": 26, "C_FindObjects": 27, "C_FindObjectsFinal": 28, "C_SignInit": 42, "C_Sign": 43,
}


class Attribute(ctypes.Structure):
    _fields_ = [("type", ULONG), ("value", ctypes.c_void_p), ("length", ULONG)]


class Mechanism(ctypes.Structure):
    _fields_ = [("type", ULONG), ("parameter", ctypes.c_void_p), ("length", ULONG)]


class Failure(Exception):
    def __init__(self, function, code):
        super().__init__(f"{function} returned 0x{code:x}")
        self.code = code


class Module:
    def __init__(self, path):
        library = ctypes.CDLL(path)
        table = ctypes.POINTER(ctypes.c_void_p)()
        library.C_GetFunctionList(ctypes.byref(table))
        self.table = table

    def call(self, name, *arguments):
        function = ctypes.CFUNCTYPE(ULONG)(self.table[PLACES[name] + 1])
        # Without a prototype ctypes would pass integers as C int.
        code = function(*[ULONG(a) if isinstance(a, int) else a for a in arguments])
        if code != OK:
            raise Failure(name, code)


class Key:
    """A key by its label, which is found again whenever the card was away."""

    def __init__(self, module, pin, label):
        self.module, self.pin, self.label = module, pin.encode(), label.encode()
        self.connect()

    def connect(self):
        count, slots = ULONG(16), (ULONG * 16)()
        self.module.call("C_GetSlotList", 1, slots, ctypes.byref(count))  # the look that tells of the card
        self.session = HANDLE()
        self.module.call("C_OpenSession", slots[0], SERIAL_RW, None, None, ctypes.byref(self.session))
        self.module.call("C_Login", self.session, USER, self.pin, len(self.pin))
        kind, label = ULONG(PRIVATE_KEY), ctypes.create_string_buffer(self.label, len(self.label))
        wanted = (Attribute * 2)(
            Attribute(CKA_CLASS, ctypes.addressof(kind), 8),
            Attribute(CKA_LABEL, ctypes.addressof(label), len(self.label)))
        self.handle, found = HANDLE(), ULONG()
        self.module.call("C_FindObjectsInit", self.session, wanted, 2)
        self.module.call("C_FindObjects", self.session, ctypes.byref(self.handle), 1, ctypes.byref(found))
        self.module.call("C_FindObjectsFinal", self.session)
        if found.value != 1:
            raise LookupError(self.label)

    def sign(self, digest):
        mechanism, length = Mechanism(CKM_ECDSA, None, 0), ULONG(64)
        signature = ctypes.create_string_buffer(64)
        self.module.call("C_SignInit", self.session, ctypes.byref(mechanism), self.handle)
        self.module.call("C_Sign", self.session, digest, len(digest), signature, ctypes.byref(length))
        return signature.raw


def main(path, pin, label):
    module = Module(path)
    module.call("C_Initialize", None)
    key, removals = Key(module, pin, label), 0
    for _ in range(10):
        try:
            key.sign(bytes(32))
        except Failure as failure:
            if failure.code != DEVICE_REMOVED:
                raise
            removals += 1
            key.connect()
            key.sign(bytes(32))
    module.call("C_Finalize", None)
    print(f"10 signatures, {removals} removals")
    return 0 if removals else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
