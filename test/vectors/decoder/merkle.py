"""The Merkle tree of the page (RFC 9162, 2.1.1): leaves and nodes under different labels, an odd node carried up."""

from encoding import sha256

CHUNK_SIZE = 65_536


def leaves_of(content: bytes) -> list[bytes]:
    """Leaf hashes of the chunks of some content; no bytes make one empty chunk."""
    starts = range(0, max(1, len(content)), CHUNK_SIZE)
    return [sha256(b"\x00", content[start : start + CHUNK_SIZE]) for start in starts]


def level_above(level: list[bytes]) -> list[bytes]:
    pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
    return [sha256(b"\x01", *pair) if len(pair) == 2 else pair[0] for pair in pairs]


def root_of(leaves: list[bytes]) -> bytes:
    level = leaves
    while len(level) > 1:
        level = level_above(level)
    return level[0]


def content_root(content: bytes) -> bytes:
    return root_of(leaves_of(content))


def path_of(leaves: list[bytes], index: int) -> bytes:
    """Siblings from the leaf up, 32 bytes each; a level without a sibling adds none."""
    level, path = leaves, b""
    while len(level) > 1:
        if index ^ 1 < len(level):
            path += level[index ^ 1]
        level, index = level_above(level), index >> 1
    return path


def fits(root: bytes, leaf: bytes, index: int, count: int, path: bytes) -> bool:
    """Whether a leaf stands at an index among so many under a root, by its path."""
    node, used = leaf, 0
    while count > 1:
        if index ^ 1 < count:
            sibling = path[32 * used : 32 * used + 32]
            node = sha256(b"\x01", sibling, node) if index & 1 else sha256(b"\x01", node, sibling)
            used += 1
        index, count = index >> 1, (count + 1) >> 1
    return node == root and len(path) == 32 * used
