"""Section 2 of the page: the update plan, words of a contribution, their sum, and the round state."""

import math
import struct
from dataclasses import dataclass

from aes import key_stream
from encoding import f64, fround, labelled_hash, sha256, u32, u64
from merkle import content_root


@dataclass(frozen=True)
class Segment:
    name: str
    length: int
    bits: int
    range: float
    scale: float


@dataclass(frozen=True)
class Terms:
    """What the update plan needs to know of the study; `members` is the size of the run roster."""

    parameters: int
    members: int
    clip_norm: float
    weight_cap: int
    max_loss: int


@dataclass(frozen=True)
class Local:
    """What one member's training gave."""

    trained: list[float]
    rows: int
    loss_sum: float


@dataclass(frozen=True)
class State:
    ordinal: int
    parameters: list[float]
    rows: int
    mean: list[float]
    sd: list[float]


@dataclass(frozen=True)
class Result:
    """What is read from a plain sum."""

    parameters: list[float]
    rows: int
    mean_loss: float
    saturated: int


def largest_scale(value_range: float, members: int, bits: int) -> float:
    limit = 2**31 - 1 if bits == 32 else 2**53
    scale = 1.0
    while members * value_range * scale * 2 <= limit:
        scale *= 2
    while members * value_range * scale > limit:
        scale /= 2
    return scale


def update_plan(terms: Terms) -> list[Segment]:
    loss_range = terms.weight_cap * terms.max_loss
    return [
        Segment("rows", 1, 64, terms.weight_cap, 1),
        Segment("saturated", 1, 64, 2**32, 1),
        Segment("lossSum", 1, 64, loss_range, min(2**20, largest_scale(loss_range, terms.members, 64))),
        Segment("update", terms.parameters, 32, terms.clip_norm, largest_scale(terms.clip_norm, terms.members, 32)),
    ]


def plan_hash(purpose: str, ordinal: int, segments: list[Segment]) -> bytes:
    fields = [(one.name, u64(one.length), one.bits, f64(one.range), f64(one.scale)) for one in segments]
    return labelled_hash("schwarm/sum-plan/1", purpose, ordinal, *(field for each in fields for field in each))


def word_counts(segments: list[Segment]) -> tuple[int, int]:
    """How many words of 64 bits stand first, and how many of 32 bits behind them."""
    return tuple(sum(one.length for one in segments if one.bits == bits) for bits in (64, 32))  # type: ignore[return-value]


def cut(value: float, segment: Segment) -> float:
    return min(segment.range, max(-segment.range, value))


def nearest(value: float, segment: Segment) -> int:
    return math.floor(cut(value, segment) * segment.scale + 0.5)


def encode(segments: list[Segment], terms: Terms, base: list[float], local: Local, rounding_key: bytes) -> bytes:
    """A member's words before they are masked."""
    rows_form, saturated_form, loss_form, form = segments
    norm = 0.0
    for trained, before in zip(local.trained, base):
        norm += (trained - before) * (trained - before)
    norm = math.sqrt(norm)
    rows = min(local.rows, terms.weight_cap)
    gain = (min(1.0, terms.clip_norm / norm) if norm > 0 else 1.0) * (rows / terms.weight_cap)
    draws = struct.unpack(f"<{len(base)}I", key_stream(rounding_key, 4 * len(base)))
    words, cuts = [], 0
    for trained, before, draw in zip(local.trained, base, draws):
        value = (trained - before) * gain
        within = cut(value, form)
        cuts += within != value
        scaled = within * form.scale
        floor = math.floor(scaled)
        words.append(floor + (draw / 2**32 < scaled - floor))
    loss = local.loss_sum * (rows / max(1, local.rows))
    cuts += cut(loss, loss_form) != loss
    header = (nearest(rows, rows_form), nearest(cuts, saturated_form), nearest(loss, loss_form))
    return struct.pack("<3q", *header) + struct.pack(f"<{len(words)}i", *words)


def within(value: float, most: float) -> float:
    return min(most, max(0, value))


def decode(segments: list[Segment], terms: Terms, base: list[float], plain_sum: bytes) -> Result:
    """What every member reads from the plain sum."""
    total, saturated, loss_sum = struct.unpack("<3q", plain_sum[:24])
    words = struct.unpack(f"<{len(base)}i", plain_sum[24:])
    scale, rows = segments[3].scale, within(total, terms.members * terms.weight_cap)
    squares = 0.0
    for word in words:
        squares += word * word
    weight = max(rows / terms.weight_cap, math.sqrt(squares) / scale / terms.clip_norm)
    parameters = [fround(before + (word / scale) / weight) for before, word in zip(base, words)] if rows else base
    loss = within(loss_sum / segments[2].scale / rows, terms.max_loss) if rows else 0.0
    return Result(parameters, int(rows), loss, int(within(saturated, terms.members * terms.parameters)))


def float32s(values: list[float]) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def state_bytes(state: State) -> bytes:
    head = b"schwarm/state/1\n" + u32(state.ordinal) + u32(len(state.parameters)) + u32(len(state.mean))
    statistics = u32(state.rows) + b"".join(f64(value) for value in state.mean + state.sd) if state.mean else b""
    return head + statistics + float32s(state.parameters)


def state_hash(state: State) -> bytes:
    return content_root(state_bytes(state))


def model_hash(parameters: list[float]) -> bytes:
    return sha256(float32s(parameters))
