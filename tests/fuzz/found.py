"""Files that a reader once fell over, as small as they could be made."""

from __future__ import annotations

from base64 import b64decode

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
)
