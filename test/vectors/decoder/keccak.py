"""Keccak-256 as Ethereum has it (the padding of the submission, not that of FIPS 202)."""

MASK = (1 << 64) - 1
RATE = 136


def _round_constants() -> list[int]:
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << (1 << j) - 1
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


ROUND_CONSTANTS = _round_constants()


def _rotated(lane: int, bits: int) -> int:
    return (lane << bits | lane >> (64 - bits)) & MASK


def permuted(lanes: list[int]) -> list[int]:
    """Keccak-f[1600] on 25 lanes, lane x + 5y."""
    a = lanes
    for constant in ROUND_CONSTANTS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ _rotated(c[(x + 1) % 5], 1) for x in range(5)]
        a = [lane ^ d[at % 5] for at, lane in enumerate(a)]
        x, y, current = 1, 0, a[1]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, a[x + 5 * y] = a[x + 5 * y], _rotated(current, (t + 1) * (t + 2) // 2 % 64)
        a = [a[at] ^ (~a[at // 5 * 5 + (at + 1) % 5] & a[at // 5 * 5 + (at + 2) % 5]) for at in range(25)]
        a[0] ^= constant
    return a


def keccak256(message: bytes) -> bytes:
    padded = bytearray(message + b"\x01" + bytes(-(len(message) + 1) % RATE))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), RATE):
        for at in range(RATE // 8):
            lanes[at] ^= int.from_bytes(padded[start + 8 * at : start + 8 * at + 8], "little")
        lanes = permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])
