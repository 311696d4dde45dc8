"""Section 5.1 of the page: shards, their order, sums as integers, and fingerprints over GF(2^61 - 1)."""

import struct
from dataclasses import dataclass

from encoding import labelled_hash
from merkle import CHUNK_SIZE

PRIME = (1 << 61) - 1


@dataclass(frozen=True)
class Shard:
    first_chunk: int
    chunks: int
    offset: int
    size: int


def shards_of(size: int, members: int) -> list[Shard]:
    chunks = max(1, -(-size // CHUNK_SIZE))
    count = min(members, chunks)
    bounds = [at * chunks // count for at in range(count + 1)]
    return [
        Shard(first, after - first, first * CHUNK_SIZE, min(size, after * CHUNK_SIZE) - first * CHUNK_SIZE)
        for first, after in zip(bounds, bounds[1:])
    ]


def aggregator_order(attempt_ctx: bytes, beacon: bytes, members: list[int]) -> list[int]:
    return sorted(members, key=lambda member: labelled_hash("cgss/1/order", attempt_ctx, beacon, member))


def carry_bits(members: int) -> int:
    """The smallest b with 2^b no less than the number of members."""
    return (members - 1).bit_length()


def packed_carries(carries: list[int], bits: int) -> bytes:
    number = 0
    for at in range(len(carries) - 1, -1, -4096):
        low = max(0, at - 4095)
        slice_ = 0
        for carry in reversed(carries[low : at + 1]):
            slice_ = slice_ << bits | carry
        number = number << bits * (at + 1 - low) | slice_
    return number.to_bytes((len(carries) * bits + 7) // 8, "little")


def words_of(content: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(content) // 4}I", content)


def sum_shard(parts: list[bytes]) -> tuple[bytes, list[int]]:
    """The low words of the sum, and what went over 32 bits."""
    totals = [sum(words) for words in zip(*map(words_of, parts))]
    return struct.pack(f"<{len(totals)}I", *(total & 0xFFFFFFFF for total in totals)), [total >> 32 for total in totals]


def fingerprint_points(attempt_ctx: bytes, generation: int, secrets: list[bytes]) -> list[int]:
    hashed = labelled_hash("cgss/1/points", attempt_ctx, generation, *secrets)
    return [int.from_bytes(half, "little") % PRIME for half in (hashed[:16], hashed[16:])]


def fingerprint(coefficients: "tuple[int, ...] | list[int]", point: int) -> int:
    value = 0
    for coefficient in coefficients:
        value = (value * point + coefficient) % PRIME
    return value


def audited_shard(attempt_ctx: bytes, secrets: list[bytes], shards: int) -> int:
    return int.from_bytes(labelled_hash("cgss/1/audited", attempt_ctx, *secrets)[:4], "little") % shards


def put_shard(whole: bytearray, shard: Shard, low: bytes, carries: list[int], wide: int) -> None:
    """Puts a shard's sum in its place: a word of 64 bits is two halves, the lower one's carry added to the upper one."""
    whole[shard.offset : shard.offset + shard.size] = low
    for at in range(shard.offset, min(8 * wide, shard.offset + shard.size), 8):
        upper = int.from_bytes(whole[at + 4 : at + 8], "little") + carries[(at - shard.offset) // 4]
        whole[at + 4 : at + 8] = (upper & 0xFFFFFFFF).to_bytes(4, "little")
