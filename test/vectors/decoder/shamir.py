"""Shamir's secret sharing over GF(2^8) with the polynomial 0x11b, byte by byte: 32 values, then the coordinate."""


def multiply(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def inverse(a: int) -> int:
    """a^254."""
    result = 1
    for _ in range(254):
        result = multiply(result, a)
    return result


def share(secret: bytes, coefficients: list[bytes], coordinate: int) -> bytes:
    """The polynomial with the secret at 0 and the given coefficients of x, x^2, …, at a coordinate."""
    values = bytearray(len(secret))
    for coefficient in reversed([secret, *coefficients]):
        values = bytearray(multiply(value, coordinate) ^ byte for value, byte in zip(values, coefficient))
    return bytes(values) + bytes([coordinate])


def combine(shares: list[bytes]) -> bytes:
    """The secret behind a threshold of shares: Lagrange interpolation at 0."""
    coordinates = [one[-1] for one in shares]
    weights = []
    for x in coordinates:
        weight = 1
        for other in coordinates:
            if other != x:
                weight = multiply(weight, multiply(other, inverse(other ^ x)))
        weights.append(weight)
    secret = bytearray(len(shares[0]) - 1)
    for one, weight in zip(shares, weights):
        secret = bytearray(byte ^ multiply(value, weight) for byte, value in zip(secret, one))
    return bytes(secret)
