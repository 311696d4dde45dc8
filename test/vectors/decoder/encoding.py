"""Numbers as bytes, the labelled hash HF, and HKDF (the page's preamble; FIPS 180-4, RFC 5869)."""

import hashlib
import hmac
import struct
from typing import Union

Field = Union[bytes, str, int]


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def f64(value: float) -> bytes:
    return struct.pack("<d", value)


def fround(value: float) -> float:
    """The float32 nearest to a float64, ties to even."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def labelled_hash(label: str, *fields: Field) -> bytes:
    """HF: a length and the bytes of the label and of each field."""
    parts = [label.encode()]
    for field in fields:
        parts.append(u32(field) if isinstance(field, int) else field.encode() if isinstance(field, str) else field)
    return sha256(*(u32(len(part)) + part for part in parts))


def hkdf(key_material: bytes, salt: bytes, info: bytes, size: int = 32) -> bytes:
    key = hmac.new(salt, key_material, hashlib.sha256).digest()
    output = block = b""
    counter = 1
    while len(output) < size:
        block = hmac.new(key, block + info + bytes([counter]), hashlib.sha256).digest()
        output += block
        counter += 1
    return output[:size]
