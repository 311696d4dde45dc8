"""Section 12 of the page: a recorded round in open mode, in which everybody sees all words and merges them by a rule."""

import struct

import masks
from encoding import sha256
from merge import Summand, merge
from recording import Member
from replay import Attempt, Replay


def forged(parameters: int) -> bytes:
    """The words of a member that lies, by the formula of the page."""
    words = [2**31 - 1 if at % 2 == 0 else -(2**31) for at in range(parameters)]
    return struct.pack("<3q", 2**40, -1, 2**62) + struct.pack(f"<{parameters}i", *words)


class OpenReplay(Replay):
    def run(self) -> None:
        self.ground()
        self.train()
        raw, equal = self.recording.raw, self.checks.equal
        played = raw["attemptsPlayed"][0]
        members = played["set"]
        context = masks.attempt_context(self.context, played["attempt"], members)
        equal("context of attempt 0", context, played["context"])
        self._compare(played, self.words)
        attempt = Attempt(played["attempt"], members, context, self.words, b"")
        summands = [Summand(1, self.words[member]) for member in members]
        for recorded in raw["results"]:
            print(f"-- merged by {recorded['rule']['kind']}")
            merged = merge(self.segments, self.recording.terms, recorded["rule"], summands)
            equal("merged vector", merged, recorded["merged"])
            self._ready({**recorded, "membersHash": played["membersHash"]}, attempt, sha256(merged))
            self._decoded(merged, recorded)

    def _words(self, member: Member) -> bytes:
        is_forged = member.index in self.recording.raw["forged"]
        return forged(self.recording.terms.parameters) if is_forged else super()._words(member)
