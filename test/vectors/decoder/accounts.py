"""Ledger accounts: secp256k1 (SEC 2), addresses, recovery of a signer, and the EIP-712 digest of READY."""

from typing import Optional

from keccak import keccak256

PRIME = (1 << 256) - (1 << 32) - 977
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GENERATOR = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
Point = Optional[tuple[int, int]]


def _added(p: Point, q: Point) -> Point:
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % PRIME == 0:
            return None
        slope = 3 * p[0] * p[0] * pow(2 * p[1], -1, PRIME)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, PRIME)
    x = (slope * slope - p[0] - q[0]) % PRIME
    return x, (slope * (p[0] - x) - p[1]) % PRIME


def _times(k: int, p: Point) -> Point:
    result: Point = None
    while k:
        if k & 1:
            result = _added(result, p)
        p = _added(p, p)
        k >>= 1
    return result


def _address(p: Point) -> bytes:
    if p is None:
        raise ValueError("no point")
    return keccak256(p[0].to_bytes(32, "big") + p[1].to_bytes(32, "big"))[12:]


def account_of(private_key: bytes) -> bytes:
    """The 20 bytes of the account of a key."""
    return _address(_times(int.from_bytes(private_key, "big"), GENERATOR))


def signer_of(digest: bytes, signature: bytes) -> bytes:
    """The account that signed a digest: r, s, v in 65 bytes, the low s, v 27 or 28. Raises ValueError."""
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    if len(signature) != 65 or v not in (27, 28) or not 0 < s <= ORDER // 2 or not 0 < r < ORDER:
        raise ValueError("not a canonical signature")
    y = pow(r**3 + 7, (PRIME + 1) // 4, PRIME)
    if (y * y - r**3 - 7) % PRIME:
        raise ValueError("not a point of the curve")
    point = (r, y if y % 2 == v - 27 else PRIME - y)
    inverse = pow(r, -1, ORDER)
    e = int.from_bytes(digest, "big")
    return _address(_added(_times(s * inverse % ORDER, point), _times(-e * inverse % ORDER, GENERATOR)))


def typed_digest(domain: bytes, struct: bytes) -> bytes:
    """EIP-712: the digest that is signed, from the hashes of domain and struct."""
    return keccak256(b"\x19\x01" + domain + struct)


def domain_hash(name: str, version: str, chain_id: int, contract: bytes) -> bytes:
    kind = keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    texts = keccak256(name.encode()) + keccak256(version.encode())
    return keccak256(kind + texts + chain_id.to_bytes(32, "big") + bytes(12) + contract)


def ready_digest(chain_id: int, contract: bytes, context: bytes, members: bytes, masked_sum: bytes) -> bytes:
    """What a member signs when it is READY."""
    struct = keccak256(keccak256(b"Ready(bytes32 context,bytes32 members,bytes32 sum)") + context + members + masked_sum)
    return typed_digest(domain_hash("Schwarm", "1", chain_id, contract), struct)
