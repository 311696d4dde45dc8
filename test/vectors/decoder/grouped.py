"""Section 13 of the page: a recorded round in groups, from the partition to the merged result."""

from dataclasses import dataclass
from typing import Any

import masks
import merkle
import wire
from encoding import labelled_hash
from merge import Summand, merge
from replay import Attempt, Replay

FEWEST = 3


def drawn(accounts: list[bytes], contract: bytes, size: int) -> list[list[int]]:
    order = sorted(range(len(accounts)), key=lambda member: labelled_hash("schwarm/groups/1", contract, accounts[member]))
    count = len(accounts) // size
    return [sorted(order[group::count]) for group in range(count)]


def groups_of(partition: list[list[int]], members: list[int]) -> list[list[int]]:
    """The groups of an attempt: cut to its set; one that is too small joins the next, the last one the one before it."""
    groups = [[member for member in group if member in members] for group in partition]
    for at in range(len(groups) - 1):
        if len(groups[at]) < FEWEST:
            groups[at + 1] = sorted(groups[at] + groups[at + 1])
            groups[at] = []
    groups = [group for group in groups if group]
    if len(groups) > 1 and len(groups[-1]) < FEWEST:
        groups[-2:] = [sorted(groups[-2] + groups[-1])]
    return groups


@dataclass(frozen=True)
class GroupSum:
    members: list[int]
    context: bytes
    masked_sum: bytes
    root: bytes


class GroupReplay(Replay):
    """Masks, their keys and sums within groups; READY and seeds over all of them."""

    sums: list[GroupSum] = []

    def ground(self) -> None:
        super().ground()
        raw, place = self.recording.raw, self.recording.place
        self.partition = drawn(place.accounts, place.contract, raw["groupSize"])
        for one in raw["partitions"]:
            self.checks.equal(f"groups of {one['set']}", groups_of(self.partition, one["set"]), one["groups"])

    def commit(self, played: dict[str, Any]) -> None:
        number, members = played["attempt"], played["set"]
        context = masks.attempt_context(self.context, number, members)
        self.checks.equal(f"context of attempt {number}", context, played["context"])
        groups = groups_of(self.partition, members)
        self.checks.equal("its groups", groups, [one["members"] for one in played["groups"]])
        vectors: dict[int, bytes] = {}
        for group, recorded in zip(groups, played["groups"]):
            inner = masks.attempt_context(context, number, group)
            self.checks.equal(f"context of group {group}", inner, recorded["context"])
            own = {member: self._masked(self.recording.members[member], number, group, inner) for member in group}
            total = self._sum(list(own.values()))
            self.checks.equal("its masked sum", total, recorded["maskedSum"])
            self.checks.equal("its Merkle root", merkle.content_root(total), recorded["root"])
            vectors.update(own)
            self.sums = [*self.sums, GroupSum(group, inner, total, merkle.content_root(total))]
        self._compare(played, vectors)
        self.attempts.append(Attempt(number, members, context, vectors, b""))

    def ready(self, played: dict[str, Any], attempt: Attempt) -> None:
        self._ready(played, attempt, labelled_hash("cgss/1/groups", attempt.context, *(one.root for one in self.sums)))

    def _says(self, message: wire.Message, sender: int, receiver: int) -> bool:
        if message.kind == "groupSum":
            own = next(one for one in self.sums if sender in one.members)
            return receiver not in own.members and message.octets("root") == own.root
        if message.kind == "bundleOf":
            return self._is_bundle(wire.bundle(message), self.bundles[message.number("owner")])
        return super()._says(message, sender, receiver)

    def reveal(self) -> None:
        raw, equal = self.recording.raw, self.checks.equal
        seeds = self._seeds()
        opened: list[Summand] = []
        for one, recorded in zip(self.sums, raw["opened"], strict=True):
            content = self._without_self_masks(one.masked_sum, {member: seeds[member] for member in one.members}, one.context)
            equal(f"opened sum of group {one.members}", content, recorded)
            self.checks.that("it is the sum of the group's words", self._sum([self.words[member] for member in one.members]) == content)
            opened.append(Summand(len(one.members), content))
        for recorded in raw["results"]:
            print(f"-- merged by {recorded['rule']['kind']}")
            merged = merge(self.segments, self.recording.terms, recorded["rule"], opened)
            equal("merged vector", merged, recorded["merged"])
            self._decoded(merged, recorded)
