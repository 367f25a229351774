"""Files that a reader once fell over, as small as they could be made."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64decode

from tests.fuzz.readers import CARD


def stored(data: bytes, *names: str) -> bytes:
    """A zip whose members have these names and hold the same."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return buffer.getvalue()


FOUND: tuple[tuple[str, str, bytes], ...] = (  # the reader, what it raised, the file
    (
        "npy",
        "TokenError, of the header's text",
        b64decode("k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2Zv") + bytes(98),
    ),
    (
        "npz",
        "NotImplementedError, of the version of zip that a member asks for",
        b64decode(
            "UEsDBFBLAQItz9EAAAAIAAAAIQBhMsOATQAAAKwBAAAKAAAAAAAAAAAAAACAAQAAAABpbWFnZXMubnB5UEsBAi0DLQAAAAgAAAAhAMPD2tFP"
            "AAAAoAAAAAoAAAAAAAAAAAAAAIABiQAAAGxhYmVscy5ucHlQSwUGAAAAAAIAAgBwAAAAFAEAAAAA"
        ),
    ),
    ("metrics", "UnicodeDecodeError", b"\xb7"),
    ("metrics", "RecursionError", b"[" * 100_000 + b"\n"),
    ("config", "a message with what a terminal obeys", b"trainer:\n  _target_: '\\u001b[2J'\n"),
    ("card", "OverflowError, of a count that no sequence has", json.dumps({**CARD, "count": 2**63}).encode()),
    ("npz", "AttributeError, of a member that is no array", stored(b"", "images.npy", "labels.npy")),
)
