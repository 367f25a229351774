"""Which jobs an ablation has, and what a later session takes over."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from gan_lab.ablation.jobs import Variant, choose_seeds, choose_techniques, plan
from gan_lab.errors import ConfigError

KNOWN = ["lecam", "packing", "spectral_norm"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("all", KNOWN),
        ("lecam", ["lecam"]),
        (["packing", "lecam", "packing"], ["packing", "lecam"]),
        (["spectral_norm+lecam"], ["spectral_norm+lecam"]),
    ],
)
def test_techniques(asked: Any, names: list[str]) -> None:
    assert choose_techniques(asked, KNOWN) == names


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("lecma", "techniques: unknown lecma; nearest: lecam; there are: lecam, packing, spectral_norm"),
        (["lecam+pack"], "techniques: unknown pack; nearest: packing"),
        ([], "techniques: name them, or all; there are: lecam"),
        (None, "techniques: name them, or all"),
    ],
)
def test_no_techniques(asked: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        choose_techniques(asked, KNOWN)


def test_seeds() -> None:
    assert choose_seeds(3, 5) == [5, 6, 7]
    assert choose_seeds([4, 2, 4], 0) == [4, 2]
    for wrong in (0, True, [], [-1], [1.5], "3", None):
        with pytest.raises(ConfigError, match="seeds: .* is neither a number of seeds nor a list"):
            choose_seeds(wrong, 0)


def test_one_seed_of_all_before_the_next() -> None:
    jobs = plan(["a+b"], [0, 1], [])
    assert [(job.technique, job.seed) for job in jobs] == [("none", 0), ("a+b", 0), ("none", 1), ("a+b", 1)]
    assert [job.folder for job in jobs[:2]] == ["none/0", "a+b/0"]
    assert [job.overrides for job in jobs[:2]] == [["seed=0"], ["+technique=[a,b]", "seed=0"]]


def test_what_was_refused_stays_so_and_what_failed_is_tried_again() -> None:
    stored = [
        {"technique": "a", "seed": 0, "state": "refused", "error": "no", "seconds": 2.0},
        {"technique": "none", "seed": 0, "state": "failed", "error": "no"},
        "rubbish",
    ]
    base, refused = plan(["a"], [0], stored)
    assert (base.state, base.error, base.seconds) == ("waiting", "", None)
    assert (refused.state, refused.error, refused.seconds) == ("refused", "no", 2.0)


def test_a_run_that_came_to_its_end(tmp_path: Path) -> None:
    job = Variant("a", 1)
    assert not job.read(tmp_path, 3, "fid")
    (tmp_path / "a/1").mkdir(parents=True)
    record = {"value": 4.0, "spread": None, "lower_is_better": False, "card": {}}
    summary = {"state": "finished", "step": 3, "seconds": 2.5, "figures": {"x": 1.0}, "metrics": {"modes/p-9": record}}
    (tmp_path / "a/1/summary.json").write_text(json.dumps(summary))
    assert not job.read(tmp_path, 4, "fid")
    assert job.read(tmp_path, 3, "fid")
    assert (job.state, job.seconds) == ("finished", 2.5)
    assert job.figures == {"x": 1.0, "modes/p-9": 4.0}
    assert job.better_low == {"modes/p-9": False}
    assert asdict(job)["folder"] == "a/1"
