"""Uses a PKCS #11 module by the interfaces of v3.0: `list` prints them, `encrypt` sends a message with AES-GCM."""

import ctypes
import sys

ulong, pointer, byref = ctypes.c_ulong, ctypes.c_void_p, ctypes.byref
FUNCTIONS = 68 + 24
NUMBERS = {
    "C_Initialize": 0, "C_GetSlotList": 4, "C_OpenSession": 12, "C_GenerateKey": 58,
    "C_SessionCancel": 71, "C_MessageEncryptInit": 72, "C_EncryptMessage": 73, "C_MessageEncryptFinal": 76,
    "C_MessageDecryptInit": 77, "C_DecryptMessage": 78, "C_MessageDecryptFinal": 81,
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


def encrypt(module):
    wanted = (ctypes.c_ubyte * 2)(3, 0)
    found = ctypes.POINTER(Interface)()
    assert module.C_GetInterface(b"PKCS 11", wanted, byref(found), ulong(0)) == 0
    functions = table(found.contents)
    call(functions, "C_Initialize", None)
    slots, count = (ulong * 16)(), ulong(16)
    call(functions, "C_GetSlotList", ulong(1), slots, byref(count))
    session, key = ulong(), ulong()
    call(functions, "C_OpenSession", ulong(slots[0]), ulong(6), None, None, byref(session))
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
        print(encrypt(module))
    except Refused as refusal:
        print(refusal)


main()
