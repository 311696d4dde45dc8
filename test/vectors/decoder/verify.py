"""Recomputes recorded rounds from the keys of their members, and derivations: python3 verify.py ../bytes.json ../round-*.json"""

import struct
import sys
from pathlib import Path

from checks import Checks
from derivations import check_derivations
from grouped import GroupReplay
from open_round import OpenReplay
from recording import read
from replay import Replay
from selfcheck import check_primitives


def verify(path: Path, checks: Checks) -> None:
    if path.name.startswith("round-"):
        recording = read(path)
        kind = OpenReplay if recording.raw["exchange"] == "open" else GroupReplay if "groupSize" in recording.raw else Replay
        kind(recording, checks).run()
    else:
        check_derivations(path, checks)


def main(paths: list[str]) -> int:
    checks = Checks()
    check_primitives(checks)
    for path in paths:
        print(f"-- {Path(path).name}")
        try:
            verify(Path(path), checks)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error) as error:
            checks.that(f"{Path(path).name} can be read and replayed", False, f"{type(error).__name__}: {error}")
    print(checks.summary())
    return 0 if checks.failed == 0 and paths else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
