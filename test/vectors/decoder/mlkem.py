"""ML-KEM-768 (FIPS 203): key generation from a seed, encapsulation with given randomness, decapsulation."""

import hashlib

Q, N, K, ETA, DU, DV = 3329, 256, 3, 2, 10, 4
Poly = list[int]


def _reversed_bits(value: int) -> int:
    return int(f"{value:07b}"[::-1], 2)


ZETAS = [pow(17, _reversed_bits(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reversed_bits(i) + 1, Q) for i in range(128)]


def ntt(f: Poly) -> Poly:
    """Algorithm 9."""
    f, i, length = list(f), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta, i = ZETAS[i], i + 1
            for j in range(start, start + length):
                t = zeta * f[j + length] % Q
                f[j], f[j + length] = (f[j] + t) % Q, (f[j] - t) % Q
        length >>= 1
    return f


def inverse_ntt(f: Poly) -> Poly:
    """Algorithm 10."""
    f, i, length = list(f), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta, i = ZETAS[i], i - 1
            for j in range(start, start + length):
                t = f[j]
                f[j], f[j + length] = (t + f[j + length]) % Q, zeta * (f[j + length] - t) % Q
        length <<= 1
    return [value * 3303 % Q for value in f]


def multiplied(f: Poly, g: Poly) -> Poly:
    """Algorithm 11: the product of two polynomials in the NTT domain."""
    h: Poly = []
    for i in range(128):
        a, b, c, d = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        h += [(a * c + b * d * GAMMAS[i]) % Q, (a * d + b * c) % Q]
    return h


def added(*polys: Poly) -> Poly:
    return [sum(values) % Q for values in zip(*polys)]


def packed(values: Poly, bits: int) -> bytes:
    """ByteEncode (algorithm 5)."""
    number = 0
    for at, value in enumerate(values):
        number |= value << bits * at
    return number.to_bytes(32 * bits, "little")


def unpacked(data: bytes, bits: int) -> Poly:
    """ByteDecode (algorithm 6)."""
    number, mask = int.from_bytes(data, "little"), (1 << bits) - 1
    values = [number >> bits * at & mask for at in range(N)]
    return [value % Q for value in values] if bits == 12 else values


def compressed(values: Poly, bits: int) -> Poly:
    return [((value << bits) + Q // 2) // Q % (1 << bits) for value in values]


def decompressed(values: Poly, bits: int) -> Poly:
    return [(value * Q + (1 << bits - 1)) >> bits for value in values]


def sampled_uniform(seed: bytes) -> Poly:
    """SampleNTT (algorithm 7)."""
    size = 840
    while True:
        stream, values = hashlib.shake_128(seed).digest(size), []
        for at in range(0, size, 3):
            low = stream[at] | (stream[at + 1] & 15) << 8
            high = stream[at + 1] >> 4 | stream[at + 2] << 4
            values += [value for value in (low, high) if value < Q]
        if len(values) >= N:
            return values[:N]
        size *= 2


def sampled_noise(seed: bytes, nonce: int) -> Poly:
    """SamplePolyCBD with eta 2 (algorithm 8)."""
    number = int.from_bytes(hashlib.shake_256(seed + bytes([nonce])).digest(64 * ETA), "little")
    nibbles = (number >> 4 * at & 15 for at in range(N))
    return [((n & 1) + (n >> 1 & 1) - (n >> 2 & 1) - (n >> 3)) % Q for n in nibbles]


def _matrix(rho: bytes) -> list[list[Poly]]:
    return [[sampled_uniform(rho + bytes([column, row])) for column in range(K)] for row in range(K)]


def _dot(left: list[Poly], right: list[Poly]) -> Poly:
    return added(*(multiplied(f, g) for f, g in zip(left, right)))


def _pke_keys(d: bytes) -> tuple[bytes, bytes]:
    """Algorithm 13."""
    hashed = hashlib.sha3_512(d + bytes([K])).digest()
    rho, sigma = hashed[:32], hashed[32:]
    matrix = _matrix(rho)
    secret = [ntt(sampled_noise(sigma, at)) for at in range(K)]
    noise = [ntt(sampled_noise(sigma, K + at)) for at in range(K)]
    public = [added(_dot(row, secret), e) for row, e in zip(matrix, noise)]
    return b"".join(packed(f, 12) for f in public) + rho, b"".join(packed(f, 12) for f in secret)


def _pke_encrypt(public_key: bytes, message: bytes, coins: bytes) -> bytes:
    """Algorithm 14."""
    public = [unpacked(public_key[384 * at : 384 * at + 384], 12) for at in range(K)]
    matrix = _matrix(public_key[384 * K :])
    y = [ntt(sampled_noise(coins, at)) for at in range(K)]
    noise = [sampled_noise(coins, K + at) for at in range(K)]
    u = [added(inverse_ntt(_dot([matrix[row][column] for row in range(K)], y)), noise[column]) for column in range(K)]
    v = added(inverse_ntt(_dot(public, y)), sampled_noise(coins, 2 * K), decompressed(unpacked(message, 1), 1))
    return b"".join(packed(compressed(f, DU), DU) for f in u) + packed(compressed(v, DV), DV)


def _pke_decrypt(secret_key: bytes, ciphertext: bytes) -> bytes:
    """Algorithm 15."""
    size = 32 * DU
    u = [decompressed(unpacked(ciphertext[size * at : size * at + size], DU), DU) for at in range(K)]
    v = decompressed(unpacked(ciphertext[size * K :], DV), DV)
    secret = [unpacked(secret_key[384 * at : 384 * at + 384], 12) for at in range(K)]
    product = inverse_ntt(_dot(secret, [ntt(f) for f in u]))
    return packed(compressed([(a - b) % Q for a, b in zip(v, product)], 1), 1)


def _hashed_key(message: bytes, public_key: bytes) -> tuple[bytes, bytes]:
    both = hashlib.sha3_512(message + hashlib.sha3_256(public_key).digest()).digest()
    return both[:32], both[32:]


def key_pair(seed: bytes) -> tuple[bytes, bytes]:
    """The encapsulation key (1184 bytes) and the decapsulation key (2400 bytes) of a seed d, z (algorithm 16)."""
    public, secret = _pke_keys(seed[:32])
    return public, secret + public + hashlib.sha3_256(public).digest() + seed[32:]


def encapsulate(public_key: bytes, message: bytes) -> tuple[bytes, bytes]:
    """The shared secret and the ciphertext (1088 bytes) for 32 bytes of randomness (algorithm 17)."""
    secret, coins = _hashed_key(message, public_key)
    return secret, _pke_encrypt(public_key, message, coins)


def decapsulate(secret_key: bytes, ciphertext: bytes) -> bytes:
    """The shared secret; an unrelated one for a wrong ciphertext (algorithm 18)."""
    inner, public, z = secret_key[: 384 * K], secret_key[384 * K : 768 * K + 32], secret_key[-32:]
    message = _pke_decrypt(inner, ciphertext)
    secret, coins = _hashed_key(message, public)
    return secret if _pke_encrypt(public, message, coins) == ciphertext else hashlib.shake_256(z + ciphertext).digest(32)
