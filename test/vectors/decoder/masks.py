"""Sections 3 and 4 of the page: contexts, commitments, keys, and masked vectors."""

import struct
from dataclasses import dataclass

import mlkem
from aes import key_stream
from chacha import seal
from encoding import hkdf, labelled_hash, sha256, u32, u64
from merkle import path_of, root_of
from shamir import share
from x25519 import BASE_POINT, x25519

ZERO_NONCE = bytes(12)


@dataclass(frozen=True)
class Place:
    """What names a round."""

    chain_id: int
    contract: bytes
    study: bytes
    run: int
    round: int
    base: bytes
    plan: bytes
    accounts: list[bytes]


@dataclass(frozen=True)
class Secrets:
    """What one member drew for a round: the only things in it that nobody can compute."""

    member: int
    x25519: bytes
    kem_seed: bytes
    seeds: list[bytes]
    coefficients: list[list[bytes]]
    points: list[list[bytes]]


@dataclass(frozen=True)
class Bundle:
    x25519: bytes
    kem: bytes
    seed_hashes: list[bytes]
    share_root: bytes
    point_hashes: list[bytes]


def accounts_hash(accounts: list[bytes]) -> bytes:
    return sha256(*accounts)


def round_context(place: Place) -> bytes:
    fields = (u64(place.chain_id), place.contract, place.study, place.run, place.round, place.base, place.plan)
    return labelled_hash("cgss/1", *fields, accounts_hash(place.accounts))


def attempt_context(context: bytes, attempt: int, members: list[int]) -> bytes:
    return labelled_hash("cgss/1/attempt", context, attempt, *members)


def dealt(secrets: Secrets, roster: list[int]) -> list[list[bytes]]:
    """Shares by attempt and place in the roster."""
    pairs = zip(secrets.seeds, secrets.coefficients)
    return [[share(seed, coefficients, holder + 1) for holder in roster] for seed, coefficients in pairs]


def share_leaf(context: bytes, owner: int, attempt: int, holder: int, one: bytes) -> bytes:
    return labelled_hash("share", context, owner, attempt, holder, one)


def share_leaves(context: bytes, secrets: Secrets, roster: list[int]) -> list[bytes]:
    """The attempt is the slow index, the holder the fast one."""
    shares = enumerate(dealt(secrets, roster))
    return [share_leaf(context, secrets.member, attempt, holder, one) for attempt, row in shares for holder, one in zip(roster, row)]


def seed_hash(context: bytes, member: int, attempt: int, seed: bytes) -> bytes:
    return labelled_hash("b", context, member, attempt, seed)


def point_hash(context: bytes, member: int, attempt: int, generation: int, point: bytes) -> bytes:
    return labelled_hash("z", context, member, attempt, generation, point)


def bundle_of(context: bytes, secrets: Secrets, roster: list[int]) -> Bundle:
    member = secrets.member
    points = ((a, g, point) for a, row in enumerate(secrets.points) for g, point in enumerate(row))
    return Bundle(
        x25519(secrets.x25519, BASE_POINT),
        mlkem.key_pair(secrets.kem_seed)[0],
        [seed_hash(context, member, attempt, seed) for attempt, seed in enumerate(secrets.seeds)],
        root_of(share_leaves(context, secrets, roster)),
        [point_hash(context, member, a, g, point) for a, g, point in points],
    )


def bundle_hash(context: bytes, member: int, bundle: Bundle) -> bytes:
    hashes = (*bundle.seed_hashes, bundle.share_root, *bundle.point_hashes)
    return labelled_hash("bundle", context, member, bundle.x25519, bundle.kem, *hashes)


def pair_secret(context: bytes, both: tuple[bytes, bytes], members: tuple[int, int], bundles: tuple[Bundle, Bundle], ciphertext: bytes) -> bytes:
    """From the X25519 and the ML-KEM secret of a pair, the lower member first."""
    (low, high), (of_low, of_high) = members, bundles
    transcript = (low, high, of_low.x25519, of_high.x25519, of_low.kem, of_high.kem, ciphertext)
    return hkdf(both[0] + both[1], context, labelled_hash("schwarm/pair-secret/1", *transcript))


def kem_coins(context: bytes, secrets: Secrets, receiver: int, public_key: bytes) -> bytes:
    """The randomness with which a member encapsulates to a higher one: it follows from its keys, so a ciphertext is always the same."""
    info = labelled_hash("schwarm/kem-coins/1", secrets.member, receiver, public_key)
    return hkdf(secrets.x25519 + secrets.kem_seed, context, info)


def share_key(secret: bytes, context: bytes, sender: int, receiver: int, attempt: int) -> bytes:
    return hkdf(secret, context, b"share" + u32(sender) + u32(receiver) + u32(attempt))


def pair_mask_key(secret: bytes, attempt_ctx: bytes, low: int, high: int) -> bytes:
    return hkdf(secret, attempt_ctx, b"pair" + u32(low) + u32(high))


def self_mask_key(seed: bytes, attempt_ctx: bytes) -> bytes:
    return hkdf(seed, attempt_ctx, b"self")


def sealed_shares(context: bytes, secrets: Secrets, receiver: int, roster: list[int], secret: bytes) -> bytes:
    """What a member sends another in SHARE, for each attempt a length and the sealed share with its path."""
    leaves, place, sealed = share_leaves(context, secrets, roster), roster.index(receiver), b""
    for attempt, row in enumerate(dealt(secrets, roster)):
        plain = row[place] + path_of(leaves, attempt * len(roster) + place)
        piece = seal(share_key(secret, context, secrets.member, receiver, attempt), ZERO_NONCE, context, plain)
        sealed += struct.pack(">H", len(piece)) + piece
    return sealed


class Vector:
    """Words of a plan: some of 64 bits first, then words of 32 bits, each modulo its size."""

    def __init__(self, content: bytes, wide: int) -> None:
        self.wide = wide
        self.content = content

    def plus(self, other: bytes, sign: int = 1) -> "Vector":
        narrow = len(self.content) // 4 - 2 * self.wide
        form = f"<{self.wide}Q{narrow}I"
        pairs = list(zip(struct.unpack(form, self.content), struct.unpack(form, other)))
        words = [(a + sign * b) & 0xFFFFFFFFFFFFFFFF for a, b in pairs[: self.wide]]
        words += [(a + sign * b) & 0xFFFFFFFF for a, b in pairs[self.wide :]]
        return Vector(struct.pack(form, *words), self.wide)


class Streams:
    """Key streams of one length, each computed once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: dict[bytes, bytes] = {}

    def of(self, key: bytes) -> bytes:
        if key not in self._known:
            self._known[key] = key_stream(key, self._size)
        return self._known[key]
