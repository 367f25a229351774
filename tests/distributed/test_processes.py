"""How many processes there are to be, and where they meet."""

from __future__ import annotations

from typing import Any

import pytest

from gan_lab.distributed import processes as module
from gan_lab.distributed.processes import Processes, first_host
from gan_lab.errors import ConfigError


def test_a_run_of_before_is_one_process() -> None:
    assert Processes.of({}) == Processes(1, 1, None, 0, 1800.0)
    assert not Processes.of({}).watched


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("processes", 0), ("processes", "two"), ("nodes", 0), ("restarts", -1), ("timeout", 0.5)),
        *(("rendezvous", "host"), ("rendezvous", "host:port"), ("compare_every", -1)),
    ],
)
def test_what_cannot_be(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"engine.{key}: {value!r}"):
        Processes.of({key: value})


@pytest.mark.parametrize(("device", "cards", "local"), [("auto", 3, 3), ("cuda", 0, 1), ("cpu", 3, 1)])
def test_auto_is_one_a_gpu(device: str, cards: int, local: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "gpus", lambda: cards)
    assert Processes("auto").counted(device).local == local


def test_one_process_that_begins_again_is_started_by_another() -> None:
    assert not Processes(restarts=1).several
    assert all(each.watched for each in (Processes(restarts=1), Processes(2), Processes(nodes=2)))


@pytest.mark.parametrize("device", ["cuda:1", "mps"])
def test_one_device_is_not_shared(device: str) -> None:
    assert Processes().counted(device) == Processes()
    for several in (Processes(2), Processes(nodes=2)):
        with pytest.raises(ConfigError, match=f"device={device}"):
            several.counted(device)


def test_where_machines_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_JOB_ID", "SLURM_JOB_NODELIST"):
        monkeypatch.delenv(name, raising=False)
    assert Processes(2).meeting() == "localhost:0"
    assert Processes(2, 2, "there:1234").meeting() == "there:1234"
    with pytest.raises(ConfigError, match="engine.rendezvous"):
        Processes(2, 2).meeting()
    monkeypatch.setenv("SLURM_JOB_ID", "10012")
    monkeypatch.setenv("SLURM_JOB_NODELIST", "gpu[07-09]")
    assert Processes(2, 2).meeting() == "gpu07:20012"


@pytest.mark.parametrize(
    ("nodes", "first"),
    [("a", "a"), ("a,b", "a"), ("gpu[007-009,12],login", "gpu007"), ("n[3,5]-ib,m", "n3-ib"), ("x1-y,x2-y", "x1-y")],
)
def test_the_first_machine_of_slurms_list(nodes: str, first: str) -> None:
    assert first_host(nodes) == first
