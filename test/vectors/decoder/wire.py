"""Control messages: the protobuf wire format (varints and length-delimited fields) and the messages of schwarm.proto."""

from dataclasses import dataclass
from typing import Union

Value = Union[int, bytes]

REQUEST_ITEMS = ("bundle", "shares", "seed", "seedShare", "shardSum", "point", "prints", "groupSum", "bundleOf")
BODIES: dict[int, tuple[str, dict[int, tuple[str, str]]]] = {
    3: ("request", {1: ("item", "int"), 2: ("attempt", "int"), 3: ("owner", "int"), 4: ("generation", "int"), 5: ("shard", "int")}),
    4: ("bundle", {1: ("x25519", "bytes"), 2: ("kem", "bytes"), 3: ("seedHashes", "list"), 4: ("shareRoot", "bytes"), 5: ("pointHashes", "list")}),
    5: ("shares", {1: ("ciphertext", "bytes"), 2: ("sealed", "bytes")}),
    6: ("seed", {1: ("attempt", "int"), 2: ("seed", "bytes")}),
    7: ("seedShare", {1: ("attempt", "int"), 2: ("owner", "int"), 3: ("share", "bytes"), 4: ("path", "bytes")}),
    8: ("shardSum", {1: ("attempt", "int"), 2: ("generation", "int"), 3: ("shard", "int"), 4: ("root", "bytes")}),
    9: ("point", {1: ("attempt", "int"), 2: ("generation", "int"), 3: ("point", "bytes")}),
    10: ("prints", {1: ("attempt", "int"), 2: ("generation", "int"), 3: ("prints", "bytes")}),
    11: ("groupSum", {1: ("attempt", "int"), 2: ("root", "bytes")}),
    12: ("bundleOf", {1: ("owner", "int"), 2: ("bundle", "bytes")}),
}
EMPTY: dict[str, object] = {"int": 0, "bytes": b"", "list": []}


@dataclass(frozen=True)
class Message:
    """An envelope: its version, the round's context, and one body."""

    version: int
    context: bytes
    kind: str
    fields: dict[str, object]

    def number(self, name: str) -> int:
        value = self.fields[name]
        if not isinstance(value, int):
            raise TypeError(name)
        return value

    def octets(self, name: str) -> bytes:
        value = self.fields[name]
        if not isinstance(value, bytes):
            raise TypeError(name)
        return value

    def hashes(self, name: str) -> list[bytes]:
        value = self.fields[name]
        if not isinstance(value, list):
            raise TypeError(name)
        return value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a varint of more than 64 bits")


def fields_of(data: bytes) -> list[tuple[int, Value]]:
    """Numbers and values of the fields of one message, in their order."""
    fields: list[tuple[int, Value]] = []
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == 0:
            value, at = _varint(data, at)
            fields.append((key >> 3, value))
        elif key & 7 == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("a field that is cut off")
            fields.append((key >> 3, data[at : at + size]))
            at += size
        else:
            raise ValueError(f"wire type {key & 7}")
    return fields


def _body(data: bytes, names: dict[int, tuple[str, str]]) -> dict[str, object]:
    body: dict[str, object] = {name: [] if kind == "list" else EMPTY[kind] for name, kind in names.values()}
    for number, value in fields_of(data):
        name, kind = names[number]
        body[name] = [*body[name], value] if kind == "list" else value  # type: ignore[misc]
    return body


def decode(data: bytes) -> Message:
    """Decodes an envelope. Raises ValueError or KeyError where it is none."""
    version, context = 0, b""
    bodies: list[tuple[str, dict[str, object]]] = []
    for number, value in fields_of(data):
        if number == 1 and isinstance(value, int):
            version = value
        elif number == 2 and isinstance(value, bytes):
            context = value
        elif isinstance(value, bytes):
            kind, names = BODIES[number]
            bodies.append((kind, _body(value, names)))
    if len(bodies) != 1 or len(context) != 32 or len(data) > 65_536:
        raise ValueError("not one body, or no context")
    return Message(version, context, *bodies[0])


def bundle(message: Message) -> Message:
    """The bundle that a member passes on, as a message of its own."""
    return Message(message.version, message.context, "bundle", _body(message.octets("bundle"), BODIES[4][1]))


def subject(message: Message) -> tuple[str, int, int, int]:
    """What a request asks for, or what an answer gives: the same for both. Raises IndexError for an unknown item."""
    kind = REQUEST_ITEMS[message.number("item")] if message.kind == "request" else message.kind
    attempt = int(str(message.fields.get("attempt", 0)))
    part = int(str(message.fields.get("owner" if kind in ("seedShare", "bundleOf") else "generation", 0)))
    return kind, attempt, part, int(str(message.fields.get("shard", 0)))
