"""`bytes.json`: each derivation of the page by itself, among them those that a recorded round has no use for."""

import json
import struct
from pathlib import Path
from typing import Any

import masks
import merkle
import plan
import shards
from checks import Checks
from encoding import hkdf, labelled_hash
from recording import octets

MAX_ROWS = 2**24


def check_derivations(path: Path, checks: Checks) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    context = contexts(raw["contexts"], checks)
    keys(raw["keys"], context, octets(raw["contexts"]["attempts"][0]["context"]), checks)
    plans(raw["plans"], checks)
    states(raw["states"], checks)
    fixed_point(raw["fixedPoint"], checks)
    rounding(raw["rounding"], checks)
    fingerprints(raw["fingerprints"], checks)
    trees(raw["merkle"], checks)


def contexts(raw: dict[str, Any], checks: Checks) -> bytes:
    fields = raw["fields"]
    names = (fields["chainId"], octets(fields["contract"]), octets(fields["study"]), fields["run"], fields["round"])
    place = masks.Place(*names, octets(fields["base"]), octets(fields["plan"]), [octets(one) for one in fields["roster"]])
    context = masks.round_context(place)
    checks.equal("hash of accounts", masks.accounts_hash(place.accounts), raw["accountsDigest"])
    checks.equal("context", context, raw["context"])
    for attempt in raw["attempts"]:
        checks.equal(f"context over {attempt['set']}", masks.attempt_context(context, attempt["attempt"], attempt["set"]), attempt["context"])
    return context


def keys(raw: dict[str, Any], context: bytes, attempt: bytes, checks: Checks) -> None:
    low, high = raw["transcript"]["lower"], raw["transcript"]["higher"]
    info = (low["member"], high["member"], *(octets(side[key]) for key in ("x25519", "kem") for side in (low, high)))
    transcript = labelled_hash("schwarm/pair-secret/1", *info, octets(raw["transcript"]["ciphertext"]))
    secret = hkdf(octets(raw["x25519"]) + octets(raw["kem"]), context, transcript)
    checks.equal("pair secret", secret, raw["pairSecret"])
    checks.equal("pair mask key", masks.pair_mask_key(secret, attempt, 0, 2), raw["maskKey"])
    checks.equal("share key", masks.share_key(secret, context, 2, 0, 1), raw["shareKey"])
    checks.equal("self mask key", masks.self_mask_key(octets(raw["seed"]), attempt), raw["selfKey"])


def plans(raw: list[dict[str, Any]], checks: Checks) -> None:
    """Thirteen features, a hundred parameters, four members, as the file's segments show."""
    statistics = [
        plan.Segment("rows", 1, 64, MAX_ROWS, 1),
        plan.Segment("moments", 26, 64, MAX_ROWS, plan.largest_scale(MAX_ROWS, 4, 64)),
    ]
    update = plan.update_plan(plan.Terms(100, 4, 2.5, 1_024, 64))
    for recorded, segments in zip(raw, (statistics, update), strict=True):
        purpose, ordinal = recorded["plan"]["purpose"], recorded["plan"]["ordinal"]
        shown = [[one[name] for name in ("name", "length", "wordBits", "range", "scale")] for one in recorded["plan"]["segments"]]
        checks.that(f"segments of {purpose}", shown == [[one.name, one.length, one.bits, one.range, one.scale] for one in segments])
        checks.equal(f"plan hash of {purpose}", plan.plan_hash(purpose, ordinal, segments), recorded["digest"])


def states(raw: list[dict[str, Any]], checks: Checks) -> None:
    for one in raw:
        state = plan.State(one["ordinal"], one["parameters"], one.get("rows", 0), one.get("mean", []), one.get("sd", []))
        checks.equal(f"state {state.ordinal}", plan.state_bytes(state), one["bytes"])
        checks.equal("its hash", plan.state_hash(state), one["digest"])
        checks.equal("its model's hash", plan.model_hash(state.parameters), one["model"])


def fixed_point(raw: list[dict[str, Any]], checks: Checks) -> None:
    for one in raw:
        segment = plan.Segment("", len(one["values"]), one["bits"], one["range"], one["scale"])
        words = [plan.nearest(value, segment) for value in one["values"]]
        code = "i" if segment.bits == 32 else "q"
        checks.equal(f"words of {segment.bits} bits", struct.pack(f"<{len(words)}{code}", *words), one["words"])
        checks.equal("how many were cut", sum(plan.cut(value, segment) != value for value in one["values"]), one["saturated"])


def rounding(raw: dict[str, Any], checks: Checks) -> None:
    terms = plan.Terms(*(raw["terms"][name] for name in ("parameters", "members", "clipNorm", "weightCap", "maxLoss")))
    key = labelled_hash("schwarm/rounding/1", raw["seed"], raw["member"], raw["ordinal"])
    local = plan.Local(raw["trained"], raw["rows"], raw["lossSum"])
    checks.equal("rounding key", key, raw["key"])
    checks.equal("rounded update", plan.encode(plan.update_plan(terms), terms, [0.0] * terms.parameters, local, key), raw["words"])


def fingerprints(raw: dict[str, Any], checks: Checks) -> None:
    """Five summands, so that a carry has three bits."""
    point = int.from_bytes(octets(raw["pointBytes"]), "little") % shards.PRIME
    vectors = [octets(vector) for vector in raw["vectors"]]
    low, carries = shards.sum_shard(vectors)
    checks.equal("point", str(point), raw["point"])
    checks.equal("low words", low, raw["low"])
    checks.equal("packed carries", shards.packed_carries(carries, shards.carry_bits(5)), raw["carries"])
    prints = [str(shards.fingerprint(shards.words_of(vector), point)) for vector in vectors]
    checks.that("fingerprints of summands", prints == raw["fingerprints"]["vectors"])
    checks.equal("fingerprint of the low words", str(shards.fingerprint(shards.words_of(low), point)), raw["fingerprints"]["low"])
    checks.equal("fingerprint of the carries", str(shards.fingerprint(carries, point)), raw["fingerprints"]["carries"])


def trees(raw: dict[str, Any], checks: Checks) -> None:
    content = bytes(at * 31 & 0xFF for at in range(raw["sizeBytes"]))
    leaves = merkle.leaves_of(content)
    checks.that("leaves", [leaf.hex() for leaf in leaves] == raw["leaves"])
    checks.equal("root", merkle.root_of(leaves), raw["root"])
    checks.that("paths", [merkle.path_of(leaves, at).hex() for at in range(len(leaves))] == raw["paths"])
