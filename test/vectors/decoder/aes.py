"""AES-256 in counter mode (FIPS 197, NIST SP 800-38A) from a zero counter block: four table look-ups a column."""

import struct

Words = tuple[int, ...]


def _xtime(value: int) -> int:
    return (value << 1) ^ (0x11B if value & 0x80 else 0)


def _sbox() -> list[int]:
    box = [0x63] * 256
    p = q = 1
    while True:  # p runs through the field by 3, q by its inverse (FIPS 197, 5.1.1)
        p ^= _xtime(p)
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        rotated = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        box[p] = (rotated & 0xFF) ^ 0x63
        if p == 1:
            return box


SBOX = _sbox()
# One column of MixColumns for a byte in each of the four rows, big-endian.
TABLE_0 = [_xtime(s) << 24 | s << 16 | s << 8 | (_xtime(s) ^ s) for s in SBOX]
TABLE_1 = [(word >> 8 | word << 24) & 0xFFFFFFFF for word in TABLE_0]
TABLE_2 = [(word >> 8 | word << 24) & 0xFFFFFFFF for word in TABLE_1]
TABLE_3 = [(word >> 8 | word << 24) & 0xFFFFFFFF for word in TABLE_2]


def _substituted(word: int) -> int:
    return SBOX[word >> 24] << 24 | SBOX[word >> 16 & 255] << 16 | SBOX[word >> 8 & 255] << 8 | SBOX[word & 255]


def expand_key(key: bytes) -> Words:
    """The 60 words of the key schedule."""
    words = list(struct.unpack(">8I", key))
    constant = 1
    for at in range(8, 60):
        word = words[at - 1]
        if at % 8 == 0:
            word = _substituted((word << 8 | word >> 24) & 0xFFFFFFFF) ^ constant << 24
            constant = _xtime(constant)
        elif at % 8 == 4:
            word = _substituted(word)
        words.append(words[at - 8] ^ word)
    return tuple(words)


def encrypt_block(schedule: Words, block: Words) -> Words:
    """One block as four big-endian words."""
    t0, t1, t2, t3 = TABLE_0, TABLE_1, TABLE_2, TABLE_3
    a, b, c, d = (word ^ schedule[at] for at, word in enumerate(block))
    for at in range(4, 56, 4):
        k0, k1, k2, k3 = schedule[at : at + 4]
        a, b, c, d = (
            t0[a >> 24] ^ t1[b >> 16 & 255] ^ t2[c >> 8 & 255] ^ t3[d & 255] ^ k0,
            t0[b >> 24] ^ t1[c >> 16 & 255] ^ t2[d >> 8 & 255] ^ t3[a & 255] ^ k1,
            t0[c >> 24] ^ t1[d >> 16 & 255] ^ t2[a >> 8 & 255] ^ t3[b & 255] ^ k2,
            t0[d >> 24] ^ t1[a >> 16 & 255] ^ t2[b >> 8 & 255] ^ t3[c & 255] ^ k3,
        )
    s, columns = SBOX, (a, b, c, d)
    rows = ((columns[i], columns[i - 3], columns[i - 2], columns[i - 1]) for i in range(4))
    return tuple(
        (s[w >> 24] << 24 | s[x >> 16 & 255] << 16 | s[y >> 8 & 255] << 8 | s[z & 255]) ^ schedule[56 + i]
        for i, (w, x, y, z) in enumerate(rows)
    )


def key_stream(key: bytes, size: int) -> bytes:
    """The first bytes of the stream of a key; the counter block is one big-endian number of 128 bits, from zero."""
    schedule = expand_key(key)
    blocks = (encrypt_block(schedule, (0, 0, 0, counter)) for counter in range((size + 15) // 16))
    return b"".join(struct.pack(">4I", *block) for block in blocks)[:size]
