"""Damage to a file: bytes, lines, fields, compression."""

import bz2
import gzip
import lzma
import random
from collections.abc import Callable

_BYTES = [
    b"nan", b"NaN", b"inf", b"-inf", b"1e999", b"-1e-999", b"1e39", b"9" * 5000, b"-" + b"9" * 5000,
    b"1" * 400 + b".5", b"0x10", b"1_0", b"+1", b"1e", b"", b" ", b"\t", b"  ", b"\r", b"\r\n", b"\n",
    b"\n\n", b"\x00", b"\x0b", b"\x0c", b"\x1b[31m", b"\x1b]0;owned\x07", b"\xef\xbb\xbf", b"\xff\xfe",
    b"\xe9", b"\xc2\x9b", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xa8", b"\xc2\xa0", b"\xc2\x85",
    b"\xe3\x80\x80", b"#", b"# a comment\n", b"Q0", b"q1", b"x" * 70_000, b"1" * 70_000, b"\r" * 70_000,
    b" " * 70_000, b"[" * 3_000, b"%20", b"\\", b'"', b"'", b"{}", b"{{ x }}", b"[1]", b"null", b"true",
    b"0", b"-1", b"bee-001", "é".encode("utf-16"), b"\xd9\xa3", b"\xc2\xb2",
]  # fmt: skip


def damaged(rng: random.Random, content: bytes) -> bytes:
    """The content of a file, with some damage done to it."""
    for _ in range(rng.choice([1, 1, 1, 2, 3, 5, 9])):
        content = rng.choice(_MUTATIONS)(rng, content)
    return content


def _flip(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 4)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _insert(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.choice(_BYTES) + content[place + rng.choice([0, 0, 1, 5]) :]


def _change_lines(rng: random.Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    chosen = rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            del lines[chosen]
        case 1:
            lines.insert(rng.randrange(len(lines)), lines[chosen])
        case 2:
            rng.shuffle(lines)
        case 3:
            lines = lines[:chosen]
        case 4:
            lines[chosen] = lines[chosen][: rng.randrange(len(lines[chosen]))]
        case _:
            lines = [line.rstrip(b"\n") + b"\r\n" for line in lines]
    return b"".join(lines)


def _change_fields(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    chosen = rng.randrange(len(lines))
    fields = lines[chosen].split(b" ")
    place = rng.randrange(len(fields))
    match rng.randrange(5):
        case 0:
            del fields[place]
        case 1:
            fields.insert(place, rng.choice(fields))
        case 2:
            rng.shuffle(fields)
        case _:
            fields[place] = rng.choice(_BYTES)
    lines[chosen] = rng.choice([b" ", b" ", b" ", b"\t", b"  "]).join(fields)
    return b"\n".join(lines)


def _wrap(rng: random.Random, content: bytes) -> bytes:
    match rng.randrange(5):
        case 0:
            return b"\xef\xbb\xbf" + content
        case 1:
            return content.replace(b"\n", b"\r")
        case 2:
            return content.decode("utf-8", "replace").encode("utf-16")
        case 3:
            return content.rstrip(b"\n")
        case _:
            return b""


def _compress(rng: random.Random, content: bytes) -> bytes:
    formats: list[Callable[[bytes], bytes]] = [gzip.compress, bz2.compress, lzma.compress]
    compressed = rng.choice(formats)(content)
    match rng.randrange(4):
        case 0:
            return compressed
        case 1:
            return compressed[: rng.randrange(len(compressed))]
        case 2:
            return _flip(rng, compressed)
        case _:
            return compressed + rng.choice([b"\x00", b"garbage", compressed[:20]])


_MUTATIONS = [
    *(_flip, _flip, _insert, _insert, _insert, _change_lines, _change_lines),
    *(_change_fields, _change_fields, _change_fields, _wrap, _compress),
]
