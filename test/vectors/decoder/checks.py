"""A tally of comparisons, one line each."""

from typing import Any

from encoding import sha256


class Checks:
    def __init__(self) -> None:
        self.count = 0
        self.failed = 0

    def that(self, what: str, holds: bool, found: object = "") -> None:
        self.count += 1
        self.failed += not holds
        print(f"{'ok' if holds else 'FAILED'}  {what}" + ("" if holds or found == "" else f": found {found}"))

    def equal(self, what: str, computed: object, recorded: object) -> None:
        """Bytes are compared with their hexadecimal digits, or with the size and hash of many."""
        if isinstance(computed, bytes) and isinstance(recorded, dict):
            shape: Any = {"sizeBytes": len(computed), "sha256": sha256(computed).hex()}
        elif isinstance(computed, bytes) and isinstance(recorded, str):
            shape, recorded = computed.hex(), recorded.removeprefix("0x")
        else:
            shape = computed
        self.that(what, shape == recorded, str(shape)[:80])

    def summary(self) -> str:
        return f"{self.count} checks, {self.failed} failed"
