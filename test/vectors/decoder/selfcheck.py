"""Each primitive against a vector of its own standard, so that an error here is not taken for one of the recording."""

import accounts
import chacha
import mlkem
from aes import encrypt_block, expand_key, key_stream
from checks import Checks
from encoding import hkdf, sha256
from keccak import keccak256
from merkle import fits, leaves_of, path_of, root_of
from shamir import combine, multiply, share
from x25519 import BASE_POINT, x25519

SUNSCREEN = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
AES_TEXT = "6bc1bee22e409f96e93d7e117393172a"


def check_primitives(checks: Checks) -> None:
    hashes(checks)
    ciphers(checks)
    agreement(checks)
    ledger(checks)
    structures(checks)


def hashes(checks: Checks) -> None:
    checks.equal("SHA-256 (FIPS 180-4, abc)", sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    derived = hkdf(bytes([0x0B] * 22), bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)
    expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    checks.equal("HKDF (RFC 5869, A.1)", derived, expected)
    checks.equal("Keccak-256 of no bytes", keccak256(b""), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")


def ciphers(checks: Checks) -> None:
    block = encrypt_block(expand_key(bytes(range(32))), (0x00112233, 0x44556677, 0x8899AABB, 0xCCDDEEFF))
    checks.equal("AES-256 (FIPS 197, C.3)", b"".join(word.to_bytes(4, "big") for word in block), "8ea2b7ca516745bfeafc49904b496089")
    key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    counter = [int.from_bytes(bytes(range(0xF0 + at, 0xF4 + at)), "big") for at in (0, 4, 8, 12)]
    stream = b"".join(word.to_bytes(4, "big") for word in encrypt_block(expand_key(key), tuple(counter)))
    text = bytes(x ^ y for x, y in zip(stream, bytes.fromhex(AES_TEXT)))
    checks.equal("AES-256-CTR (SP 800-38A, F.5.5)", text, "601ec313775789a5b7a7f504bbf3d228")
    checks.equal("AES-256-CTR from a zero counter (H of test case 13 of the GCM specification)", key_stream(bytes(32), 16), "dc95c078a2408989ad48a21492842087")
    nonce, key = bytes.fromhex("070000004041424344454647"), bytes(range(0x80, 0xA0))
    additional = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    sealed = chacha.seal(key, nonce, additional, SUNSCREEN)
    checks.equal("ChaCha20-Poly1305 (RFC 8439, 2.8.2): first bytes", sealed[:16], "d31a8d34648e60db7b86afbc53ef7ec2")
    checks.equal("ChaCha20-Poly1305 (RFC 8439, 2.8.2): tag", sealed[-16:], "1ae10b594f09e26a7e902ecbd0600691")
    checks.that("ChaCha20-Poly1305 opens what it sealed", chacha.unseal(key, nonce, additional, sealed) == SUNSCREEN)


def agreement(checks: Checks) -> None:
    alice = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    bob = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    checks.equal("X25519 (RFC 7748, 6.1): public key", x25519(alice, BASE_POINT), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    checks.equal("X25519 (RFC 7748, 6.1): shared secret", x25519(alice, bob), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
    kem(checks)


def kem(checks: Checks) -> None:
    """The unlucky sample of the Community Cryptography Test Vectors (C2SP/CCTV, ML-KEM/unluckysample), by the parts of it that depend on all others."""
    d = bytes.fromhex("82c4a361586b9715c2375a45fb85c32d04be7fe6e26acd820ec5d4080093afe1")
    z = bytes.fromhex("8476013560151d986dc7834dcb57c75f845f8d7ee71558d0955f3f4feb723cf2")
    message = bytes.fromhex("e48f74ad416e99631003ded1478aec62a02c245d88ed7f2fae92aedf13ca03b3")
    public, private = mlkem.key_pair(d + z)
    secret, ciphertext = mlkem.encapsulate(public, message)
    checks.equal("ML-KEM-768: encapsulation key, last bytes", public[-32:], "9a795daadc9cce56db4bfd02cf1893c6441a1b78f1bdd9b13626b9f21b7c6161")
    checks.equal("ML-KEM-768: hash in the decapsulation key", private[-64:-32], "451f9b6547b8f6e927fbfe7598658160206040fdb57dd39ba8bf1f3a5ff89b9c")
    checks.equal("ML-KEM-768: ciphertext, first bytes", ciphertext[:16], "696ef1699d5ac2aa9a012a64c60c6c21")
    checks.equal("ML-KEM-768: ciphertext, last bytes", ciphertext[-16:], "134559be391c29d990f82f8a1dd4a715")
    checks.equal("ML-KEM-768: shared secret", secret, "4f7cc64c040fc4e335a539691f4638caf8b1bf5da6455754afe699e41813801b")
    checks.that("ML-KEM-768: decapsulation finds it, and another one for another ciphertext", mlkem.decapsulate(private, ciphertext) == secret != mlkem.decapsulate(private, bytes(1) + ciphertext[1:]))


def ledger(checks: Checks) -> None:
    """The example Mail of EIP-712: its key is the hash of "cow", its domain Ether Mail."""
    key = keccak256(b"cow")
    checks.equal("secp256k1 and address (EIP-712)", accounts.account_of(key), "cd2a3d9f938e13cd947ec05abc7fe734df8dd826")
    domain = accounts.domain_hash("Ether Mail", "1", 1, bytes([0xCC] * 20))
    checks.equal("EIP-712 domain", domain, "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f")
    mail = bytes.fromhex("c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e")
    digest = accounts.typed_digest(domain, mail)
    checks.equal("EIP-712 digest", digest, "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2")
    r = "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
    s = "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562"
    checks.equal("EIP-712 signer", accounts.signer_of(digest, bytes.fromhex(r + s + "1c")), "cd2a3d9f938e13cd947ec05abc7fe734df8dd826")


def structures(checks: Checks) -> None:
    checks.equal("GF(2^8) (FIPS 197, 4.2)", multiply(0x57, 0x83), 0xC1)
    secret, coefficients = bytes(range(32)), [bytes(range(7, 39)), bytes(range(90, 122))]
    shares = [share(secret, coefficients, coordinate) for coordinate in (1, 5, 64)]
    checks.equal("Shamir: three of three", combine(shares), secret.hex())
    leaves = leaves_of(bytes(4 * 65_536 + 1))
    root = root_of(leaves)
    checks.that("Merkle paths of five leaves", all(fits(root, leaf, at, 5, path_of(leaves, at)) for at, leaf in enumerate(leaves)))
