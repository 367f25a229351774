"""What torch says of a process that does not answer, in words of ours."""

from __future__ import annotations

import pytest

from gan_lab.distributed.missing import MissingError, explain_missing


@pytest.mark.parametrize(
    ("said", "waited"),
    [
        ("[pair.cc:547] gloo: Connection closed by peer [127.0.0.1]:47282", False),
        ("Gloo connectFullMesh failed with timed out connecting: Connection refused", False),
        ("[gloo/unbound_buffer.cc:78] Timed out waiting 8000ms for recv operation to complete", True),
        ("NCCL watchdog: Timeout(ms)=600000", True),
    ],
)
def test_gone_or_slow(said: str, waited: bool) -> None:
    with pytest.raises(MissingError) as caught, explain_missing():
        raise RuntimeError(said)
    assert caught.value.waited == waited


@pytest.mark.parametrize("error", [RuntimeError("timed out"), RuntimeError("gloo: bad size"), ValueError("gloo gone")])
def test_other_errors_stay(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)), explain_missing():
        raise error
