"""Section 12 of the page: merge rules over vectors of one update plan, on integers and in float64 in the order of the members."""

import math
import struct
from dataclasses import dataclass
from typing import Any

from plan import Segment, Terms


@dataclass(frozen=True)
class Summand:
    """A vector, and how many members are summed in it."""

    members: int
    content: bytes


def headers(content: bytes) -> tuple[int, ...]:
    return struct.unpack("<3q", content[:24])


def limit_of(segment: Segment) -> int:
    return math.floor(segment.range * segment.scale)


def cut_header(value: int, segment: Segment, members: int) -> int:
    return min(members * limit_of(segment), max(0, value))


def levelled(one: Summand, segments: list[Segment], terms: Terms) -> list[int]:
    """Q of the page: the words of a vector as an update of weight one."""
    rows, most = cut_header(headers(one.content)[0], segments[0], one.members), limit_of(segments[3])
    words = struct.unpack(f"<{terms.parameters}i", one.content[24:])
    factor = terms.weight_cap / rows if rows else 0.0
    return [min(most, max(-most, math.floor(word * factor + 0.5))) for word in words]


def total(values: list[float]) -> float:
    """The sum in order, each step rounded; the language's own sum() may carry more digits along."""
    result = 0.0
    for value in values:
        result += value
    return result


def squares(vectors: list[list[int]]) -> list[list[int]]:
    return [[sum((a - b) ** 2 for a, b in zip(one, other)) for other in vectors] for one in vectors]


def best(vectors: list[list[int]], f: int, chosen: int) -> list[int]:
    """Places of the vectors with the least sums of squared distances to their nearest others."""
    distances, count = squares(vectors), len(vectors)
    scores = [sum(sorted(row[:at] + row[at + 1 :])[: count - f - 2]) for at, row in enumerate(distances)]
    return sorted(sorted(range(count), key=lambda at: (scores[at], at))[:chosen])


def geometric_weights(vectors: list[list[int]]) -> list[float]:
    distances = [[float(one) for one in row] for row in squares(vectors)]
    weights = [1.0] * len(vectors)
    for _ in range(32):
        whole = total(weights)
        shares = [weight / whole for weight in weights]
        means = [total([square * share for square, share in zip(row, shares)]) for row in distances]
        spread = total([mean * share for mean, share in zip(means, shares)]) / 2
        weights = [1 / math.sqrt(max(1.0, mean - spread)) for mean in means]
    return weights


def weighed(vectors: list[list[int]], weights: list[float], divisor: float) -> list[float]:
    return [total([weight * value for weight, value in zip(weights, column)]) / divisor for column in zip(*vectors)]


def by_rule(rule: dict[str, Any], vectors: list[list[int]]) -> list[float]:
    kind, f, count = rule["kind"], rule["f"], len(vectors)
    if kind == "coordinate-median":
        return [sorted(column)[(count + 1) // 2 - 1] for column in zip(*vectors)]
    if kind == "trimmed-mean":
        return [sum(sorted(column)[f : count - f]) / (count - 2 * f) for column in zip(*vectors)]
    if kind == "geometric-median":
        weights = geometric_weights(vectors)
        return weighed(vectors, weights, total(weights))
    if kind in ("krum", "multi-krum"):
        chosen = best(vectors, f, 1 if kind == "krum" else count - f - 2)
        return [sum(column) / len(chosen) for column in zip(*(vectors[at] for at in chosen))]
    raise ValueError(f"rule {kind}")


def needed(rule: dict[str, Any]) -> int:
    """Fewest vectors that a rule can merge."""
    if rule["kind"] == "mean":
        return 1
    return 2 * rule["f"] + (3 if rule["kind"] in ("krum", "multi-krum") else 1)


def plain_sum(summands: list[Summand]) -> bytes:
    size = len(summands[0].content)
    form = f"<3Q{(size - 24) // 4}I"
    columns = zip(*(struct.unpack(form, one.content) for one in summands))
    return struct.pack(form, *(sum(column) % (2**64 if at < 3 else 2**32) for at, column in enumerate(columns)))


def merge(segments: list[Segment], terms: Terms, rule: dict[str, Any], summands: list[Summand]) -> bytes:
    """One vector of the plan; fewer vectors than the rule needs are added up."""
    if rule["kind"] == "mean" or len(summands) < needed(rule):
        return plain_sum(summands)
    header = [
        sum(cut_header(headers(one.content)[at], segment, one.members) for one in summands) for at, segment in enumerate(segments[:3])
    ]
    weight = header[0] / terms.weight_cap
    values = by_rule(rule, [levelled(one, segments, terms) for one in summands])
    words = [math.floor(value * weight + 0.5) for value in values]
    return struct.pack("<3q", *header) + struct.pack(f"<{len(words)}i", *words)
