"""A recorded round computed anew from the keys of its members: one method a phase, each comparing what came out."""

from dataclasses import dataclass
from typing import Any

import accounts
import masks
import merkle
import mlkem
import plan
import shards
import wire
from checks import Checks
from encoding import labelled_hash, sha256
from recording import Member, Recording, octets
from shamir import combine
from x25519 import x25519


@dataclass(frozen=True)
class Attempt:
    number: int
    members: list[int]
    context: bytes
    vectors: dict[int, bytes]
    masked_sum: bytes


@dataclass(frozen=True)
class Generation:
    """What the messages of one generation of points should say."""

    points: list[int]
    prints: dict[int, bytes]
    roots: dict[int, tuple[int, bytes]]


class Replay:
    def __init__(self, recording: Recording, checks: Checks) -> None:
        self.recording, self.checks = recording, checks
        self.segments = plan.update_plan(recording.terms)
        self.wide = plan.word_counts(self.segments)[0]
        self.context = masks.round_context(recording.place)
        self.streams = masks.Streams(sum(one.length * one.bits // 8 for one in self.segments))
        self.bundles: dict[int, masks.Bundle] = {}
        self.pair_secrets: dict[tuple[int, int], bytes] = {}
        self.ciphertexts: dict[tuple[int, int], bytes] = {}
        self.words: dict[int, bytes] = {}
        self.attempts: list[Attempt] = []
        self.generations: list[Generation] = []

    def run(self) -> None:
        self.ground()
        self.secrecy()
        self.join()
        self.share()
        self.train()
        for played in self.recording.raw["attemptsPlayed"]:
            self.commit(played)
            if "shards" in played:
                self.reduce_scatter(played, self.attempts[-1])
            self.ready(played, self.attempts[-1])
        self.messages()
        self.reveal()

    def ground(self) -> None:
        """What everybody knows before the round."""
        recording, raw, equal = self.recording, self.recording.raw, self.checks.equal
        equal("base state hash", plan.state_hash(recording.state), raw["base"])
        equal("plan hash", plan.plan_hash("update", recording.state.ordinal, self.segments), raw["plan"])
        equal("context", self.context, raw["context"])
        equal("size of the roster", len(recording.members), recording.terms.members)
        for member in recording.members:
            equal(f"account of {member.name}", accounts.account_of(member.account_key), member.account.hex())
        own = [member.account for member in recording.members]
        self.checks.that("accounts ascend and are the roster", own == sorted(own) == recording.place.accounts)

    def secrecy(self) -> None:
        """What secrets are for: none of it is there in open mode."""
        recording, raw = self.recording, self.recording.raw
        self.checks.equal("exchange", "reduce-scatter" if recording.members[0].secrets.points[0] else "broadcast", raw["exchange"])
        self.checks.equal("threshold", 2 * len(recording.members) // 3 + 1, raw["threshold"])

    def join(self) -> None:
        for member in self.recording.members:
            bundle = masks.bundle_of(self.context, member.secrets, self.recording.roster)
            self.bundles[member.index] = bundle
            self.checks.equal(f"bundle hash of {member.name}", masks.bundle_hash(self.context, member.index, bundle), member.bundle_hash.hex())

    def share(self) -> None:
        """Both sides of each pair come to one secret."""
        for low in self.recording.members:
            for high in self.recording.members[low.index + 1 :]:
                pair, of_low, of_high = (low.index, high.index), self.bundles[low.index], self.bundles[high.index]
                kem, ciphertext = mlkem.encapsulate(of_high.kem, masks.kem_coins(self.context, low.secrets, high.index, of_high.kem))
                opened = mlkem.decapsulate(mlkem.key_pair(high.secrets.kem_seed)[1], ciphertext)
                dh = x25519(low.secrets.x25519, of_high.x25519)
                agreed = kem == opened and dh == x25519(high.secrets.x25519, of_low.x25519)
                self.checks.that(f"{low.name} and {high.name} agree on a secret", agreed)
                self.ciphertexts[pair] = ciphertext
                self.pair_secrets[pair] = masks.pair_secret(self.context, (dh, kem), pair, (of_low, of_high), ciphertext)

    def train(self) -> None:
        for member in self.recording.members:
            self.words[member.index] = self._words(member)
            self.checks.equal(f"words of {member.name}", self.words[member.index], member.words)

    def _words(self, member: Member) -> bytes:
        recording = self.recording
        key = labelled_hash("schwarm/rounding/1", recording.study_seed, member.name, recording.state.ordinal)
        return plan.encode(self.segments, recording.terms, recording.state.parameters, member.local, key)

    def _masked(self, member: Member, number: int, members: list[int], context: bytes) -> bytes:
        vector = masks.Vector(self.words[member.index], self.wide)
        for other in members:
            if other == member.index:
                continue
            low, high = sorted((member.index, other))
            key = masks.pair_mask_key(self.pair_secrets[low, high], context, low, high)
            vector = vector.plus(self.streams.of(key), 1 if member.index < other else -1)
        return vector.plus(self.streams.of(masks.self_mask_key(member.secrets.seeds[number], context))).content

    def commit(self, played: dict[str, Any]) -> None:
        number, members = played["attempt"], played["set"]
        context = masks.attempt_context(self.context, number, members)
        self.checks.equal(f"context of attempt {number}", context, played["context"])
        vectors = {member: self._masked(self.recording.members[member], number, members, context) for member in members}
        self._compare(played, vectors)
        self.attempts.append(Attempt(number, members, context, vectors, self._sum(list(vectors.values()))))

    def _compare(self, played: dict[str, Any], vectors: dict[int, bytes]) -> None:
        self.checks.equal("members with a vector", sorted(vectors), [recorded["member"] for recorded in played["vectors"]])
        for recorded in played["vectors"]:
            masked, name = vectors[recorded["member"]], self.recording.members[recorded["member"]].name
            self.checks.equal(f"masked vector of {name} in attempt {played['attempt']}", masked, recorded["masked"])
            self.checks.equal("its Merkle root", merkle.content_root(masked), recorded["root"])

    def _sum(self, vectors: list[bytes]) -> bytes:
        total = masks.Vector(bytes(len(self.words[0])), self.wide)
        for vector in vectors:
            total = total.plus(vector)
        return total.content

    def ready(self, played: dict[str, Any], attempt: Attempt) -> None:
        self.checks.equal(f"masked sum of attempt {attempt.number}", attempt.masked_sum, played["maskedSum"])
        self._ready(played, attempt, sha256(attempt.masked_sum))

    def _ready(self, played: dict[str, Any], attempt: Attempt, total: bytes) -> None:
        """What READY signs over a hash, and by whom."""
        place, equal = self.recording.place, self.checks.equal
        members = masks.accounts_hash([place.accounts[member] for member in attempt.members])
        digest = accounts.ready_digest(place.chain_id, place.contract, attempt.context, members, total)
        equal("hash in READY", total, played["sum"])
        equal("hash of the members", members, played["membersHash"])
        equal("READY digest", digest, played["readyDigest"])
        for statement in played["ready"]:
            member = self.recording.members[statement["member"]]
            signer = accounts.signer_of(digest, octets(statement["signature"]))
            equal(f"signer of READY: {member.name}", signer, member.account.hex())

    def reduce_scatter(self, played: dict[str, Any], attempt: Attempt) -> None:
        equal, count = self.checks.equal, len(attempt.members)
        cuts = shards.shards_of(len(self.words[0]), count)
        order = shards.aggregator_order(attempt.context, octets(played["beacon"]), attempt.members)
        equal("aggregator order", order, played["order"])
        keys = ("firstChunk", "chunks", "offsetBytes", "sizeBytes")
        equal("shards", [dict(zip(keys, (one.first_chunk, one.chunks, one.offset, one.size))) for one in cuts], played["shards"])
        whole = bytearray(len(self.words[0]))
        for recorded in played["generations"]:
            self._generation(recorded, attempt, cuts, order, whole)
        secrets = [self.recording.members[member].secrets.points[attempt.number][0] for member in attempt.members]
        audited = shards.audited_shard(attempt.context, secrets, len(cuts))
        equal("audited shard", audited, played["audited"])
        equal("its auditor", order[(audited + 2) % count], played["auditor"])
        equal("shards put together", bytes(whole), attempt.masked_sum.hex())

    def _generation(self, recorded: dict[str, Any], attempt: Attempt, cuts: list[shards.Shard], order: list[int], whole: bytearray) -> None:
        number, equal = recorded["generation"], self.checks.equal
        secrets = [self.recording.members[member].secrets.points[attempt.number][number] for member in attempt.members]
        points = shards.fingerprint_points(attempt.context, number, secrets)
        equal(f"points of generation {number}", [str(point) for point in points], recorded["points"])
        prints = {member: self._prints(attempt.vectors[member], cuts, points) for member in attempt.members}
        for member, found in prints.items():
            equal(f"fingerprints of {self.recording.members[member].name}", [str(value) for value in found], recorded["prints"][member])
        roots: dict[int, tuple[int, bytes]] = {}
        for announced in recorded["sums"]:
            at, count = announced["shard"], len(attempt.members)
            shard = cuts[at]
            low, carries = shards.sum_shard([attempt.vectors[one][shard.offset : shard.offset + shard.size] for one in attempt.members])
            total = low + shards.packed_carries(carries, shards.carry_bits(count))
            equal(f"sum of shard {at}", total, announced["sum"])
            roots[at] = (order[(at + number) % count], merkle.content_root(total))
            equal("its aggregator", roots[at][0], announced["aggregator"])
            equal("its Merkle root", roots[at][1], announced["root"])
            for place, point in enumerate(points):
                summands = sum(found[2 * at + place] for found in prints.values())
                parts = shards.fingerprint(shards.words_of(low), point) + (shards.fingerprint(carries, point) << 32)
                self.checks.that(f"fingerprints of shard {at} add up at point {place}", (summands - parts) % shards.PRIME == 0)
            shards.put_shard(whole, shard, low, carries, self.wide)
        packed = {member: b"".join(value.to_bytes(8, "little") for value in found) for member, found in prints.items()}
        self.generations.append(Generation(points, packed, roots))

    def _prints(self, vector: bytes, cuts: list[shards.Shard], points: list[int]) -> list[int]:
        parts = [shards.words_of(vector[one.offset : one.offset + one.size]) for one in cuts]
        return [shards.fingerprint(part, point) for part in parts for point in points]

    def messages(self) -> None:
        """Every message says what its sender's keys give."""
        counts: dict[str, int] = {}
        wrong: list[str] = []
        asked: list[tuple[int, int, str, int, int, int]] = []
        given: list[tuple[int, int, str, int, int, int]] = []
        for at, sent in enumerate(self.recording.raw["messages"]):
            message = wire.decode(octets(sent["bytes"]))
            counts[message.kind] = counts.get(message.kind, 0) + 1
            for to in sent["to"]:
                ends = (sent["from"], to) if message.kind == "request" else (to, sent["from"])
                (asked if message.kind == "request" else given).append((*ends, *wire.subject(message)))
            bound = message.version == self.recording.raw["version"] and message.context == self.context
            if not bound or not all(self._says(message, sent["from"], to) for to in sent["to"]):
                wrong.append(f"{at} ({message.kind})")
        self.checks.that("every answer was asked for, and every request answered", sorted(asked) == sorted(given))
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        self.checks.that(f"messages: {said}", not wrong, f"others in messages {', '.join(wrong)}")

    def _says(self, message: wire.Message, sender: int, receiver: int) -> bool:
        """Whether a message from one member to another is the one that follows from the keys."""
        secrets = self.recording.members[sender].secrets
        pair = (min(sender, receiver), max(sender, receiver))
        if message.kind == "request":
            return True
        if message.kind == "bundle":
            return self._is_bundle(message, self.bundles[sender])
        if message.kind == "shares":
            ciphertext = self.ciphertexts[pair] if sender < receiver else b""
            sealed = masks.sealed_shares(self.context, secrets, receiver, self.recording.roster, self.pair_secrets[pair])
            return (message.octets("ciphertext"), message.octets("sealed")) == (ciphertext, sealed)
        attempt = message.number("attempt")
        if message.kind == "seed":
            return message.octets("seed") == secrets.seeds[attempt]
        if message.kind == "seedShare":
            return self._share_fits(message, sender)
        generation = message.number("generation")
        if message.kind == "point":
            return message.octets("point") == secrets.points[attempt][generation]
        if message.kind == "prints":
            return message.octets("prints") == self.generations[generation].prints[sender]
        return (sender, message.octets("root")) == self.generations[generation].roots[message.number("shard")]

    def _is_bundle(self, message: wire.Message, bundle: masks.Bundle) -> bool:
        keys = (message.octets("x25519"), message.octets("kem"), message.octets("shareRoot"))
        hashes = (message.hashes("seedHashes"), message.hashes("pointHashes"))
        return keys == (bundle.x25519, bundle.kem, bundle.share_root) and hashes == (bundle.seed_hashes, bundle.point_hashes)

    def _share_fits(self, message: wire.Message, holder: int) -> bool:
        """A share stands under its owner's root, at the place of its attempt and holder."""
        owner, attempt, roster = message.number("owner"), message.number("attempt"), self.recording.roster
        leaf = masks.share_leaf(self.context, owner, attempt, holder, message.octets("share"))
        index, count = attempt * len(roster) + roster.index(holder), self.recording.raw["attempts"] * len(roster)
        return merkle.fits(self.bundles[owner].share_root, leaf, index, count, message.octets("path"))

    def reveal(self) -> None:
        """The plain sum from what the reader has, and what follows from it."""
        attempt, recorded = self.attempts[-1], self.recording.raw["result"]
        seeds = self._seeds()
        plain_sum = self._without_self_masks(attempt.masked_sum, {member: seeds[member] for member in attempt.members}, attempt.context)
        self.checks.that("the plain sum is the sum of the words", self._sum([self.words[member] for member in attempt.members]) == plain_sum)
        self.checks.equal("plain sum", plain_sum, recorded["plainSum"])
        self._decoded(plain_sum, recorded)

    def _without_self_masks(self, masked_sum: bytes, seeds: dict[int, bytes], context: bytes) -> bytes:
        total = masks.Vector(masked_sum, self.wide)
        for seed in seeds.values():
            total = total.plus(self.streams.of(masks.self_mask_key(seed, context)), -1)
        return total.content

    def _seeds(self) -> dict[int, bytes]:
        """Seeds by member: the reader's own, those that it was sent, and those rebuilt from shares."""
        raw, equal = self.recording.raw, self.checks.equal
        revealed = raw["revealed"]
        reader, number = revealed["reader"], revealed["attempt"]
        seeds = {reader: self.recording.members[reader].secrets.seeds[number]}
        shares: dict[int, list[bytes]] = {owner: [self._own_share(owner, reader, number)] for owner in revealed["rebuilt"]}
        for sent in raw["messages"]:
            message = wire.decode(octets(sent["bytes"]))
            if message.kind == "seed" and reader in sent["to"]:
                seeds[sent["from"]] = message.octets("seed")
            elif message.kind == "seedShare" and reader in sent["to"]:
                shares[message.number("owner")].append(message.octets("share"))
        for owner, held in shares.items():
            seeds[owner] = combine(held[: raw["threshold"]])
        for member, seed in sorted(seeds.items()):
            how = "rebuilt from shares" if member in shares else "as sent" if member != reader else "own"
            expected = self.bundles[member].seed_hashes[number]
            equal(f"seed of {self.recording.members[member].name}, {how}", masks.seed_hash(self.context, member, number, seed), expected.hex())
        return seeds

    def _own_share(self, owner: int, holder: int, attempt: int) -> bytes:
        return masks.dealt(self.recording.members[owner].secrets, self.recording.roster)[attempt][self.recording.roster.index(holder)]

    def _decoded(self, plain_sum: bytes, recorded: dict[str, Any]) -> None:
        """What everybody reads from a plain sum or a merged vector, and votes."""
        equal, state = self.checks.equal, self.recording.state
        result = plan.decode(self.segments, self.recording.terms, state.parameters, plain_sum)
        equal("rows, mean loss, saturated", [result.rows, result.mean_loss, result.saturated], [recorded[name] for name in ("rows", "meanLoss", "saturated")])
        following = plan.State(state.ordinal + 1, result.parameters, state.rows, state.mean, state.sd)
        equal("next state", plan.state_bytes(following), recorded["stateBytes"])
        equal("its hash", plan.state_hash(following), recorded["state"])
        equal("model hash", plan.model_hash(result.parameters), recorded["model"])
        equal("hash of the next plan", plan.plan_hash("update", following.ordinal, self.segments), recorded["nextPlan"])
