#!/usr/bin/env python3
"""Builds CMC requests that carry a private key for archival, with PyPI's asn1crypto and cryptography and nothing of ours.

usage: archival_client.py EXCHANGE_CERTIFICATE.der TEMPLATE DIRECTORY

Writes one file FORM.cmc for each form that Windows clients of three generations and modern ones send (RFC 5272, RFC 5652,
RFC 8017, MS-WCCE 2.2.2.9.1 and 3.2.2.6.2.1.2.2), and for forms that a CA must refuse; prints their names.
"""
import hashlib
import os
import sys

from asn1crypto import algos, cms, core, csr, keys, x509
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
except ImportError:
    TripleDES = algorithms.TripleDES

PKI_DATA = '1.3.6.1.5.5.7.12.2'
ENCRYPTED_KEY = '1.3.6.1.4.1.311.21.13'
ENCRYPTED_KEY_HASH = '1.3.6.1.4.1.311.21.21'


def tlv(tag, content):
    """DER by hand, where asn1crypto has no type of its own."""
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(length)]) + length + content


def seq(*parts):
    return tlv(0x30, b''.join(parts))


def set_of(*parts):
    return tlv(0x31, b''.join(sorted(parts)))


def oid(dotted):
    return core.ObjectIdentifier(dotted).dump()


def integer(number):
    return core.Integer(number).dump()


def octets(content):
    return core.OctetString(content).dump()


def attribute(dotted, value):
    return seq(oid(dotted), set_of(value))


def little(number, size):
    return number.to_bytes(size, 'little')


def private_key_blob(key, algorithm=0xA400):
    """PRIVATEKEYBLOB, all numbers little-endian; 0xA400 is a key-exchange key, 0x2400 a signature key."""
    n = key.private_numbers()
    bits = key.key_size
    half = bits // 16
    return (bytes([7, 2, 0, 0]) + little(algorithm, 4) + b'RSA2' + little(bits, 4)
            + little(n.public_numbers.e, 4) + little(n.public_numbers.n, bits // 8)
            + b''.join(little(v, half) for v in (n.p, n.q, n.dmp1, n.dmq1, n.iqmp)) + little(n.d, bits // 8))


def pkcs8(key):
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Form:
    """How one client builds its request. `damage` names what is wrong with it."""

    def __init__(self, name, bits=2048, digest='sha256', cipher='aes256', transport='pkcs1', plaintext='pkcs8',
                 controls=('21.21',), whole_key_id=False, subject=True, damage=None):
        self.name, self.bits, self.digest, self.cipher = name, bits, digest, cipher
        self.transport, self.plaintext, self.controls = transport, plaintext, controls
        self.whole_key_id, self.subject, self.damage = whole_key_id, subject, damage


FORMS = [
    Form('windows-2003', 1024, 'sha1', '3des', 'pkcs1', 'blob', ('extensions', '21.21', 'regInfo'), whole_key_id=True),
    Form('longhorn', 1024, 'sha1', '3des', 'pkcs1', 'blob', ('21.21', '21.20')),
    Form('autoenrollment', 2048, 'sha1', '3des', 'pkcs1', 'blob', subject=False),
    Form('sha2-3des', 2048, 'sha256', '3des', 'pkcs1', 'blob'),
    Form('sha2-aes128', 3072, 'sha384', 'aes128', 'pkcs1', 'blob'),
    Form('sha2-aes192', 2048, 'sha512', 'aes192', 'pkcs1', 'blob'),
    Form('aes256-4096', 4096, 'sha256', 'aes256', 'pkcs1', 'blob'),
    Form('modern-pkcs8', 2048, 'sha256', 'aes256', 'oaep'),
    Form('modern-wrap', 2048, 'sha256', 'wrap', 'oaep'),
    Form('modern-wrap-3072', 3072, 'sha256', 'wrap', 'oaep', subject=False),
    Form('modern-wrap-1024', 1024, 'sha256', 'wrap', 'oaep'),
    Form('modern-wrap-4096', 4096, 'sha512', 'wrap', 'oaep'),
    Form('elliptic-p256', 256, 'sha256', 'aes256', 'oaep'),
    Form('elliptic-p384', 384, 'sha384', 'aes128', 'oaep'),
    Form('elliptic-p256-wrap', 256, 'sha256', 'wrap', 'oaep'),
    Form('elliptic-p521-wrap', 521, 'sha512', 'wrap', 'pkcs1'),
    Form('refused-hash-of-inner', damage='hash of inner'),
    Form('refused-wrong-hash', damage='wrong hash'),
    Form('refused-no-hash', damage='no hash'),
    Form('refused-signed-attribute', damage='signed attribute'),
    Form('refused-other-key', plaintext='blob', damage='other key'),
    Form('refused-signature-key', plaintext='blob', damage='signature key'),
    Form('refused-other-recipient', damage='other recipient'),
    Form('refused-trailing-byte', plaintext='blob', damage='trailing byte'),
    Form('refused-no-request', damage='no request'),
    Form('refused-two-requests', damage='two requests'),
    Form('refused-no-signer', damage='no signer'),
    Form('refused-second-signer', damage='second signer'),
    Form('refused-in-request', damage='in request'),
    Form('refused-twice', damage='twice'),
    Form('refused-message-signature', damage='message signature'),
    Form('refused-request-signature', damage='request signature'),
    Form('refused-ciphertext', cipher='wrap', transport='oaep', damage='ciphertext'),
    Form('refused-ed25519', 25519),
    Form('refused-pkcs10', damage='pkcs10'),
    Form('refused-pkcs7', damage='pkcs7'),
]


class Requester:
    def __init__(self, form, exchange, template):
        self.form, self.exchange, self.template = form, exchange, template
        self.is_rsa = 1024 <= form.bits <= 16384
        self.key = self.new_key()
        self.spki = keys.PublicKeyInfo.load(self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
        self.hash = {'sha1': hashes.SHA1, 'sha256': hashes.SHA256, 'sha384': hashes.SHA384,
                     'sha512': hashes.SHA512}[form.digest]()

    def new_key(self):
        if self.is_rsa:
            return rsa.generate_private_key(65537, self.form.bits)
        if self.form.bits == 25519:
            return ed25519.Ed25519PrivateKey.generate()
        return ec.generate_private_key({256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}[self.form.bits]())

    def sign(self, message):
        if self.is_rsa:
            return self.key.sign(message, padding.PKCS1v15(), self.hash)
        if self.form.bits == 25519:
            return self.key.sign(message)
        return self.key.sign(message, ec.ECDSA(self.hash))

    def signature_algorithm(self, in_cms):
        """Windows writes rsaEncryption in a SignerInfo, and the whole name in a PKCS #10."""
        if self.form.bits == 25519:
            return seq(oid('1.3.101.112'))
        if not self.is_rsa:
            return algos.SignedDigestAlgorithm({'algorithm': self.form.digest + '_ecdsa'}).dump()
        if in_cms:
            return seq(oid('1.2.840.113549.1.1.1'), core.Null().dump())
        return algos.SignedDigestAlgorithm({'algorithm': self.form.digest + '_rsa'}).dump()

    def certification_request(self):
        extensions = seq(seq(oid('1.3.6.1.4.1.311.20.2'), octets(core.BMPString(self.template).dump())))
        attributes = [
            attribute('1.2.840.113549.1.9.14', extensions),
            attribute('1.3.6.1.4.1.311.13.2.3', core.IA5String('5.2.3790.2').dump()),
            attribute('1.3.6.1.4.1.311.13.2.2', seq(
                integer(1), core.BMPString('Microsoft Strong Cryptographic Provider').dump(),
                tlv(0x03, bytes(1) + bytes(136)))),
        ]
        if self.form.damage in ('in request', 'pkcs10'):
            attributes.append(attribute(ENCRYPTED_KEY, self.encrypted_key()))
        name = x509.Name.build({'common_name': 'client ' + self.form.name}) if self.form.subject else x509.Name.build({})
        info = seq(integer(0), name.dump(), self.spki.dump(), tlv(0xA0, b''.join(sorted(attributes))))
        signature = self.sign(b'something else' if self.form.damage == 'request signature' else info)
        request = seq(info, self.signature_algorithm(False), tlv(0x03, b'\0' + signature))
        if self.form.damage not in ('in request', 'pkcs10'):
            csr.CertificationRequest.load(request).native  # what we made is a PKCS #10 for others, too
        return request

    def plaintext(self):
        key = self.new_key() if self.form.damage == 'other key' else self.key
        if self.form.plaintext == 'pkcs8':
            return pkcs8(key)
        algorithm = 0x2400 if self.form.damage == 'signature key' else 0xA400
        return private_key_blob(key, algorithm) + (b'\0' if self.form.damage == 'trailing byte' else b'')

    def encrypted_key(self):
        """ContentInfo of an EnvelopedData: the value of attribute 21.13."""
        plain, cipher = self.plaintext(), self.form.cipher
        if cipher == 'wrap':
            cek = os.urandom(32)
            content = keywrap.aes_key_wrap_with_padding(cek, plain)
            algorithm = seq(oid('2.16.840.1.101.3.4.1.48'))
        else:
            size, block, name, dotted = {
                '3des': (24, 8, TripleDES, '1.2.840.113549.3.7'),
                'aes128': (16, 16, algorithms.AES, '2.16.840.1.101.3.4.1.2'),
                'aes192': (24, 16, algorithms.AES, '2.16.840.1.101.3.4.1.22'),
                'aes256': (32, 16, algorithms.AES, '2.16.840.1.101.3.4.1.42'),
            }[cipher]
            cek, iv = os.urandom(size), os.urandom(block)
            padder = PKCS7(block * 8).padder()
            encryptor = Cipher(name(cek), modes.CBC(iv)).encryptor()
            content = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
            algorithm = seq(oid(dotted), octets(iv))
        if self.form.damage == 'ciphertext':
            content = content[:-1] + bytes([content[-1] ^ 1])
        recipient = self.exchange
        public = serialization.load_der_public_key(recipient.public_key.dump())
        if self.form.transport == 'oaep':
            wrapped = public.encrypt(cek, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
            transport = seq(oid('1.2.840.113549.1.1.7'), seq())
        else:
            wrapped = public.encrypt(cek, padding.PKCS1v15())
            transport = seq(oid('1.2.840.113549.1.1.1'), core.Null().dump())
        serial = recipient.serial_number + (1 if self.form.damage == 'other recipient' else 0)
        info = seq(integer(0), seq(recipient.issuer.dump(), integer(serial)), transport, octets(wrapped))
        enveloped = seq(integer(0), set_of(info),
                        seq(oid('1.2.840.113549.1.7.1'), algorithm, tlv(0x80, content)))
        whole = seq(oid('1.2.840.113549.1.7.3'), tlv(0xA0, enveloped))
        cms.ContentInfo.load(whole)['content']['recipient_infos'].native
        self.inner = enveloped
        return whole

    def digest(self, content):
        return hashlib.new(self.form.digest, content).digest()

    def pki_data(self, request, encrypted_key):
        form = self.form
        hashed = self.inner if form.damage == 'hash of inner' else encrypted_key
        value = self.digest(hashed)
        if form.damage == 'wrong hash':
            value = bytes([value[0] ^ 1]) + value[1:]
        added = [] if form.damage == 'no hash' else [attribute(ENCRYPTED_KEY_HASH, octets(value))]
        if '21.20' in form.controls:
            added.append(attribute('1.3.6.1.4.1.311.21.20', seq(
                integer(9), core.UTF8String('pc.example.test').dump(), core.UTF8String('EXAMPLE\\alice').dump(),
                core.UTF8String('certreq').dump())))
        controls = []
        if 'extensions' in form.controls:
            extension = seq(oid('2.5.29.15'), core.Boolean(True).dump(), octets(bytes([3, 2, 5, 0x20])))
            controls.append(seq(integer(2), oid('1.3.6.1.5.5.7.7.8'), set_of(
                seq(integer(0), seq(integer(1)), seq(extension)))))
        controls.append(seq(integer(3), oid('1.3.6.1.4.1.311.10.10.1'), set_of(
            seq(integer(0), seq(integer(1)), set_of(*added)))))
        if 'regInfo' in form.controls:
            controls.append(seq(integer(4), oid('1.3.6.1.5.5.7.7.18'), set_of(
                octets(('CertificateTemplate=' + self.template + '&').encode()))))
        requests = [tlv(0xA0, integer(1) + request)]
        if form.damage == 'no request':
            requests = []
        elif form.damage == 'two requests':
            requests.append(tlv(0xA0, integer(9) + self.certification_request()))
        return seq(seq(*controls), seq(*requests), seq(), seq())

    def message(self):
        encrypted_key = self.encrypted_key()
        content = self.pki_data(self.certification_request(), encrypted_key)
        digest_algorithm = algos.DigestAlgorithm({'algorithm': self.form.digest}).dump()
        signed = [
            attribute('1.2.840.113549.1.9.3', oid(PKI_DATA)),
            attribute('1.2.840.113549.1.9.4', octets(self.digest(content))),
        ]
        is_misplaced = self.form.damage == 'signed attribute'
        if is_misplaced:
            signed.append(attribute(ENCRYPTED_KEY, encrypted_key))
        carried = tlv(0xA1, attribute(ENCRYPTED_KEY, encrypted_key))
        if self.form.damage == 'twice':
            carried = tlv(0xA1, attribute(ENCRYPTED_KEY, encrypted_key) * 2)
        unsigned = b'' if is_misplaced or self.form.damage in ('second signer', 'in request') else carried
        # Windows Server 2003 hashes the whole SubjectPublicKeyInfo, everybody else the bits of the key (RFC 5280).
        key_id = hashlib.sha1(
            self.spki.dump() if self.form.whole_key_id else self.spki['public_key'].contents[1:]).digest()
        signature = self.sign(b'something else' if self.form.damage == 'message signature' else set_of(*signed))

        def signer(identifier, unsigned):
            return seq(integer(3), tlv(0x80, identifier), digest_algorithm, tlv(0xA0, b''.join(sorted(signed))),
                       self.signature_algorithm(True), octets(signature), unsigned)
        signers = [] if self.form.damage == 'no signer' else [signer(key_id, unsigned)]
        if self.form.damage == 'second signer':
            # DER sorts the set: the one that is longer comes last.
            signers.append(signer(key_id, carried))
        data = seq(integer(3), set_of(digest_algorithm),
                   seq(oid(PKI_DATA), tlv(0xA0, octets(content))), set_of(*signers))
        return seq(oid('1.2.840.113549.1.7.2'), tlv(0xA0, data))

    def renewal(self):
        """A PKCS #7 around the PKCS #10, which no encrypted key belongs in."""
        encrypted_key = self.encrypted_key()
        request = self.certification_request()
        digest_algorithm = algos.DigestAlgorithm({'algorithm': self.form.digest}).dump()
        identifier = hashlib.sha1(self.spki['public_key'].contents[1:]).digest()
        signer = seq(integer(3), tlv(0x80, identifier), digest_algorithm, self.signature_algorithm(True),
                     octets(self.sign(request)), tlv(0xA1, attribute(ENCRYPTED_KEY, encrypted_key)))
        data = seq(integer(3), set_of(digest_algorithm),
                   seq(oid('1.2.840.113549.1.7.1'), tlv(0xA0, octets(request))), set_of(signer))
        return seq(oid('1.2.840.113549.1.7.2'), tlv(0xA0, data))

    def whole(self):
        if self.form.damage == 'pkcs10':
            return self.certification_request()
        return self.renewal() if self.form.damage == 'pkcs7' else self.message()


def main():
    certificate, template, directory = sys.argv[1:]
    with open(certificate, 'rb') as file:
        exchange = x509.Certificate.load(file.read())
    for form in FORMS:
        with open(os.path.join(directory, form.name + '.cmc'), 'wb') as file:
            file.write(Requester(form, exchange, template).whole())
        print(form.name)


if __name__ == '__main__':
    main()
