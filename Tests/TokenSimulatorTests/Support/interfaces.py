"""Uses a PKCS #11 module by the interfaces of v3.0: `list` prints them, `encrypt` sends a message with AES-GCM, `sign`
signs messages and verifies them, `der` does so with a card that writes signatures as DER, `codes` prints what each function on messages says to a key of P-256."""

import ctypes
import sys

ulong, pointer, byref = ctypes.c_ulong, ctypes.c_void_p, ctypes.byref
FUNCTIONS = 68 + 24
NUMBERS = {
    "C_Initialize": 0, "C_GetSlotList": 4, "C_OpenSession": 12, "C_GenerateKey": 58,
    "C_SessionCancel": 71, "C_MessageEncryptInit": 72, "C_EncryptMessage": 73, "C_MessageEncryptFinal": 76,
    "C_MessageDecryptInit": 77, "C_DecryptMessage": 78, "C_MessageDecryptFinal": 81, "C_GenerateKeyPair": 59,
    "C_Login": 18, "C_LoginUser": 70,
    "C_MessageSignInit": 82, "C_SignMessage": 83, "C_SignMessageBegin": 84, "C_SignMessageNext": 85,
    "C_MessageSignFinal": 86, "C_MessageVerifyInit": 87, "C_VerifyMessage": 88, "C_VerifyMessageBegin": 89,
    "C_VerifyMessageNext": 90, "C_MessageVerifyFinal": 91,
}


class Interface(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("functions", pointer), ("flags", ulong)]


class Table(ctypes.Structure):
    _fields_ = [("major", ctypes.c_ubyte), ("minor", ctypes.c_ubyte), ("functions", pointer * FUNCTIONS)]


class Mechanism(ctypes.Structure):
    _fields_ = [("mechanism", ulong), ("parameter", pointer), ("length", ulong)]


class Attribute(ctypes.Structure):
    _fields_ = [("type", ulong), ("value", pointer), ("length", ulong)]


class MessageParameters(ctypes.Structure):
    _fields_ = [("iv", pointer), ("iv_length", ulong), ("iv_fixed_bits", ulong), ("generator", ulong),
                ("tag", pointer), ("tag_bits", ulong)]


class Refused(Exception):
    pass


def table(interface):
    return ctypes.cast(interface.functions, ctypes.POINTER(Table)).contents


def call(functions, name, *arguments, check=True):
    function = ctypes.CFUNCTYPE(ulong, *[type(argument) if isinstance(argument, ulong) else pointer
                                         for argument in arguments])
    result = function(functions.functions[NUMBERS[name]])(
        *[argument if isinstance(argument, (ulong, type(None))) else ctypes.cast(argument, pointer)
          for argument in arguments])
    if check and result:
        raise Refused(f"{name} {result:#x}")
    return result


def interfaces(module):
    count = ulong()
    assert module.C_GetInterfaceList(None, byref(count)) == 0
    found = (Interface * count.value)()
    assert module.C_GetInterfaceList(found, byref(count)) == 0
    return found


def opened(module, slot):
    wanted = (ctypes.c_ubyte * 2)(3, 0)
    found = ctypes.POINTER(Interface)()
    assert module.C_GetInterface(b"PKCS 11", wanted, byref(found), ulong(0)) == 0
    functions = table(found.contents)
    call(functions, "C_Initialize", None)
    slots, count, session = (ulong * 16)(), ulong(16), ulong()
    call(functions, "C_GetSlotList", ulong(1), slots, byref(count))
    call(functions, "C_OpenSession", ulong(slots[slot]), ulong(6), None, None, byref(session))
    return functions, session


def key_pair(functions, session):
    curve, yes = (ctypes.c_ubyte * 10)(6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7), ctypes.c_ubyte(1)
    label = (ctypes.c_ubyte * 3)(*b"key")
    named = Attribute(3, ctypes.cast(label, pointer), 3)
    public = (Attribute * 3)(
        Attribute(0x180, ctypes.cast(curve, pointer), 10), Attribute(0x10A, ctypes.cast(byref(yes), pointer), 1), named)
    private = (Attribute * 2)(Attribute(0x108, ctypes.cast(byref(yes), pointer), 1), named)
    keys = ulong(), ulong()
    call(functions, "C_GenerateKeyPair", session, byref(Mechanism(0x1040, None, 0)), public, ulong(3), private, ulong(2),
         byref(keys[0]), byref(keys[1]))
    return keys


def sign(module, pin):
    functions, session = opened(module, 0)
    log_in = lambda name: call(functions, "C_LoginUser", session, ulong(1), pin, ulong(len(pin)), name, ulong(len(name)),
                               check=False)
    said = [log_in((ctypes.c_ubyte * 3)(*b"bob")), log_in((ctypes.c_ubyte * 5)(*b"alice"))]
    public, private = key_pair(functions, session)
    ecdsa, data = Mechanism(0x1041, None, 0), (ctypes.c_ubyte * 33)(*range(33))
    signature, length = (ctypes.c_ubyte * 64)(), ulong(64)
    use = lambda name, *arguments: said.append(call(functions, name, session, *arguments, check=False))
    use("C_MessageSignInit", byref(ecdsa), private)
    use("C_SignMessage", None, ulong(0), data, ulong(32), None, byref(length))
    use("C_SignMessage", None, ulong(0), data, ulong(33), signature, byref(length))
    use("C_SignMessage", None, ulong(0), data, ulong(32), signature, byref(length))
    use("C_SignMessage", None, ulong(0), data, ulong(32), signature, byref(length))
    use("C_MessageSignFinal")
    use("C_MessageVerifyInit", byref(ecdsa), public)
    use("C_VerifyMessage", None, ulong(0), data, ulong(32), signature, length)
    data[0] = 1
    use("C_VerifyMessage", None, ulong(0), data, ulong(32), signature, length)
    use("C_MessageVerifyFinal")
    return " ".join(f"{code:#x}" for code in said)


def der(module, pin):
    functions, session = opened(module, 0)
    call(functions, "C_Login", session, ulong(1), pin, ulong(len(pin)))
    public, private = key_pair(functions, session)
    ecdsa, data, signature, length = Mechanism(0x1041, None, 0), (ctypes.c_ubyte * 32)(), (ctypes.c_ubyte * 72)(), ulong()
    use = lambda name, *arguments: call(functions, name, session, *arguments, check=False)
    made = lambda: "der" if signature[0] == 0x30 and signature[1] == length.value - 2 else "raw"
    sign = lambda target: f"{use('C_SignMessage', None, ulong(0), data, ulong(32), target, byref(length)):#x}"
    said = [use("C_MessageSignInit", byref(ecdsa), private), sign(None), length.value]
    length.value = 64
    said += [sign(signature), length.value, sign(signature), made()]
    whole = bytes(signature[:length.value])
    said.append(use("C_SignMessageBegin", None, ulong(0)))
    said.append(use("C_SignMessageNext", None, ulong(0), data, ulong(32), None, None))
    length.value = 72
    said += [use("C_SignMessageNext", None, ulong(0), data, ulong(32), signature, byref(length)), made()]
    said += [use("C_MessageSignFinal"), use("C_MessageVerifyInit", byref(ecdsa), public)]
    for each in [whole, bytes(signature[:length.value]), whole[:-1], bytes(64)]:
        given = (ctypes.c_ubyte * len(each))(*each)
        said.append(f"{use('C_VerifyMessage', None, ulong(0), data, ulong(32), given, ulong(len(each))):#x}")
    return " ".join(str(each) for each in said)


def codes(module, pin):
    functions, session = opened(module, int(sys.argv[4]))
    said = []
    use = lambda name, *arguments: said.append(f"{name} {call(functions, name, session, *arguments, check=False):#x}")
    use("C_LoginUser", ulong(1), pin, ulong(len(pin)), None, ulong(0))
    call(functions, "C_Login", session, ulong(1), pin, ulong(len(pin)), check=False)
    public, private = key_pair(functions, session)
    ecdsa, data = Mechanism(0x1041, None, 0), (ctypes.c_ubyte * 32)()
    signature, length = (ctypes.c_ubyte * 64)(), ulong(64)
    for kind, key, end in [("Sign", private, byref(length)), ("Verify", public, length)]:
        use(f"C_Message{kind}Init", byref(ecdsa), key)
        use(f"C_{kind}Message", None, ulong(0), data, ulong(32), signature, end)
        use(f"C_{kind}MessageBegin", None, ulong(0))
        use(f"C_{kind}MessageNext", None, ulong(0), data, ulong(32), signature, end)
        use(f"C_Message{kind}Final")
    return ", ".join(said)


def encrypt(module):
    functions, session = opened(module, 0)
    key = ulong()
    size, yes = ulong(32), ctypes.c_ubyte(1)
    template = (Attribute * 3)(
        Attribute(0x161, ctypes.cast(byref(size), pointer), 8),
        Attribute(0x104, ctypes.cast(byref(yes), pointer), 1),
        Attribute(0x105, ctypes.cast(byref(yes), pointer), 1))
    call(functions, "C_GenerateKey", session, byref(Mechanism(0x1080, None, 0)), template, ulong(3), byref(key))
    iv, tag = (ctypes.c_ubyte * 12)(), (ctypes.c_ubyte * 16)()
    parameters = MessageParameters(
        ctypes.cast(iv, pointer), 12, 0, 0, ctypes.cast(tag, pointer), 128)
    size_of = ulong(ctypes.sizeof(parameters))
    plain, secret, clear = (ctypes.c_ubyte * 20)(*range(20)), (ctypes.c_ubyte * 20)(), (ctypes.c_ubyte * 20)()
    gcm = Mechanism(0x1087, None, 0)
    said = []
    for kind, source, target in [("Encrypt", plain, secret), ("Decrypt", secret, clear)]:
        length = ulong(20)
        call(functions, f"C_Message{kind}Init", session, byref(gcm), key)
        call(functions, f"C_{kind}Message", session, byref(parameters), size_of, None, ulong(0), source, ulong(20),
             target, byref(length))
        call(functions, f"C_Message{kind}Final", session)
        said.append(f"{kind.lower()}ed")
    assert bytes(secret) != bytes(plain) == bytes(clear)
    call(functions, "C_MessageEncryptInit", session, byref(gcm), key)
    cancelled = call(functions, "C_SessionCancel", session, ulong(0x2), check=False)
    return ", ".join(said + [f"cancelled {cancelled:#x}"])


def main():
    module = ctypes.CDLL(sys.argv[1])
    if sys.argv[2] == "list":
        print(", ".join(f"{each.name.decode()} {table(each).major}.{table(each).minor}" for each in interfaces(module)))
        return
    try:
        pin = (ctypes.c_ubyte * len(sys.argv[3]))(*sys.argv[3].encode()) if len(sys.argv) > 3 else None
        print({"sign": sign, "der": der, "codes": codes}[sys.argv[2]](module, pin) if pin else encrypt(module))
    except Refused as refusal:
        print(refusal)


main()
