"""A recorded round as typed values (the section of the page on test vectors), and the formulas behind its parameters."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoding import fround
from masks import Place, Secrets
from plan import Local, State, Terms


def octets(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def base_parameter(at: int) -> float:
    return (at * 7_919 % 65_536 - 32_768) / 65_536


def trained_parameter(at: int, member: int) -> float:
    return fround(base_parameter(at) + ((at + 1) * (104_729 + 2 * member) % 8_192 - 4_096) / (3 * 2 ** (13 + member % 2)))


@dataclass(frozen=True)
class Member:
    index: int
    name: str
    account_key: bytes
    account: bytes
    secrets: Secrets
    local: Local
    words: Any
    bundle_hash: bytes


@dataclass(frozen=True)
class Recording:
    """The inputs of a round, and in `raw` everything that it should give."""

    raw: dict[str, Any]
    place: Place
    terms: Terms
    state: State
    study_seed: int
    members: list[Member]

    @property
    def roster(self) -> list[int]:
        return [member.index for member in self.members]


def _secrets(one: dict[str, Any]) -> Secrets:
    if "x25519" not in one:
        return Secrets(one["member"], b"", b"", [], [], [])
    return Secrets(
        one["member"],
        octets(one["x25519"]),
        octets(one["kemSeed"]),
        [octets(seed) for seed in one["seeds"]],
        [[octets(value) for value in row] for row in one["coefficients"]],
        [[octets(point) for point in row] for row in one["points"]],
    )


def _member(one: dict[str, Any], parameters: int) -> Member:
    trained = [trained_parameter(at, one["member"]) for at in range(parameters)]
    local = Local(trained, one["rows"], one["lossSum"])
    identity = (one["member"], one["name"], octets(one["accountKey"]), octets(one["account"]))
    return Member(*identity, _secrets(one), local, one["words"], octets(one.get("bundleHash", "")))


def read(path: Path) -> Recording:
    raw = json.loads(path.read_text(encoding="utf-8"))
    terms = Terms(**{ours: raw["terms"][theirs] for ours, theirs in TERMS.items()})
    statistics = raw["state"].get("standardisation", {"rows": 0, "mean": [], "sd": []})
    base = [base_parameter(at) for at in range(terms.parameters)]
    state = State(raw["state"]["ordinal"], base, statistics["rows"], statistics["mean"], statistics["sd"])
    names = (raw["chainId"], octets(raw["contract"]), octets(raw["study"]), raw["run"], raw["round"])
    place = Place(*names, octets(raw["base"]), octets(raw["plan"]), [octets(account) for account in raw["accounts"]])
    members = [_member(one, terms.parameters) for one in raw["members"]]
    return Recording(raw, place, terms, state, raw["studySeed"], members)


TERMS = {"parameters": "parameters", "members": "members", "clip_norm": "clipNorm", "weight_cap": "weightCap", "max_loss": "maxLoss"}
