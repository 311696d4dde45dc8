"""ChaCha20-Poly1305 (RFC 8439)."""

import hmac
import struct

CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")
QUARTERS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & 0xFFFFFFFF


def chacha20_block(key: bytes, counter: int, nonce: bytes) -> bytes:
    start = [*CONSTANTS, *struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce)]
    state = list(start)
    for _ in range(10):
        for a, b, c, d in QUARTERS:
            for into, other, turned, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                state[into] = (state[into] + state[other]) & 0xFFFFFFFF
                state[turned] = _rotated(state[turned] ^ state[into], bits)
    return struct.pack("<16I", *((x + y) & 0xFFFFFFFF for x, y in zip(state, start)))


def chacha20(key: bytes, counter: int, nonce: bytes, text: bytes) -> bytes:
    stream = b"".join(chacha20_block(key, counter + at, nonce) for at in range((len(text) + 63) // 64))
    return bytes(x ^ y for x, y in zip(text, stream))


def poly1305(key: bytes, message: bytes) -> bytes:
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\x01", "little")) * r % ((1 << 130) - 5)
    return ((total + int.from_bytes(key[16:], "little")) & ((1 << 128) - 1)).to_bytes(16, "little")


def _tag(key: bytes, nonce: bytes, additional: bytes, sealed: bytes) -> bytes:
    padded = b"".join(part + bytes(-len(part) % 16) for part in (additional, sealed))
    return poly1305(chacha20_block(key, 0, nonce)[:32], padded + struct.pack("<2Q", len(additional), len(sealed)))


def seal(key: bytes, nonce: bytes, additional: bytes, plain: bytes) -> bytes:
    """The encrypted bytes, and 16 bytes of tag behind them."""
    sealed = chacha20(key, 1, nonce, plain)
    return sealed + _tag(key, nonce, additional, sealed)


def unseal(key: bytes, nonce: bytes, additional: bytes, sealed: bytes) -> bytes:
    """The plain bytes. Raises ValueError where the tag does not fit."""
    body, tag = sealed[:-16], sealed[-16:]
    if not hmac.compare_digest(tag, _tag(key, nonce, additional, body)):
        raise ValueError("a wrong tag")
    return chacha20(key, 1, nonce, body)
