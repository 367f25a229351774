"""What the READMEs show can be typed: commands compose, links lead somewhere, the keys that they name exist."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gan_lab.command_line.stored_overrides import values
from gan_lab.command_line.verbs import VERBS
from gan_lab.config import CONFIG_DIR
from tests.conftest import whole
from tests.readmes import READMES, ROOT, anchors, commands, links, shown, spans, write_files

FRONT = (ROOT / "README.md").read_text()
FRONT_PAGE_FIRST = [ROOT / "README.md", *whole(path for path in READMES if path != ROOT / "README.md")]
EACH = pytest.mark.parametrize("readme", READMES, ids=shown)


def test_there_are_readmes() -> None:
    assert len(READMES) > 8


def test_the_front_page_is_a_front_page() -> None:
    assert len(FRONT.splitlines()) <= 160, "README.md: at most 160 lines; what explains goes beside what it explains"
    assert ".venv/bin/pip install -e '.[test]' && .venv/bin/pytest\n" in FRONT  # what .ci/run runs


def test_the_front_page_has_a_command_for_every_verb() -> None:
    missing = set(VERBS) - {words[0] for words in commands(FRONT)}
    assert not missing, f"README.md, A tour: add a line and a command for {sorted(missing)}"


def test_the_front_page_leads_to_every_readme() -> None:
    led = {(ROOT / target.partition("#")[0]).resolve() for target in links(FRONT)}
    missing = [shown(readme) for readme in READMES if readme not in led | {ROOT / "README.md"}]
    assert not missing, f"README.md, Where to look: add a row for {missing}"


@EACH
def test_links_lead_somewhere(readme: Path) -> None:
    text = readme.read_text()
    lost = []
    for target in links(text):
        path, _, anchor = target.partition("#")
        there = (readme.parent / path).resolve() if path else readme
        if not there.exists() or (anchor and anchor not in anchors(there.read_text())):
            lost.append(target)
    assert not lost, f"{shown(readme)}: these links lead nowhere: {lost}"


def test_every_picture_is_shown() -> None:
    pictures = set((ROOT / ".github").rglob("*.png"))
    seen = {(readme.parent / target).resolve() for readme in READMES for target in links(readme.read_text())}
    assert pictures
    assert not pictures - seen, f"shown in no README: {sorted(map(shown, pictures - seen))}"


@pytest.mark.parametrize("readme", FRONT_PAGE_FIRST, ids=shown)
def test_every_command_composes(readme: Path, here: Path, gan_lab: Callable[..., int]) -> None:
    """All the way to the configuration, with the files of one's own that the READMEs tell to write."""
    write_files(here)
    failed = [words for words in commands(readme.read_text()) if not all(gan_lab(*each) == 0 for each in asking(words))]
    assert not failed, f"{shown(readme)}: these do not compose: {[' '.join(words) for words in failed]}"


def asking(words: list[str]) -> Iterator[list[str]]:
    """The command as one that prints its configuration; of a sweep one for each value. Runs to go on with are not
    there, so what is typed beside `resume=` stands alone."""
    if words[0].startswith("-") or {"--help", "--cfg"} & set(words):
        yield words
        return
    words = [word for word in words if not word.startswith("resume=")]
    sweep = {word: values(word) for word in words if "-m" in words and "=" in word}
    for job in range(max(map(len, sweep.values()), default=0) or 1):
        each = [(sweep.get(word) or [word])[job % len(sweep.get(word) or [word])] for word in words if word != "-m"]
        yield [*each, "--cfg", "job"]


@EACH
def test_every_key_exists(readme: Path, tmp_path: Path) -> None:
    """`loss.regularizers.r1.weight` in the text or a table is a key that some choice brings in."""
    write_files(tmp_path)
    known = set(keys_of(CONFIG_DIR)) | set(keys_of(tmp_path / "my_configs"))
    top = {key.partition(".")[0] for key in known if "." in key}
    words = [re.split(r"[=:\s]", span)[0] for span in spans(readme.read_text())]
    dotted = [word for word in words if re.fullmatch(r"[a-z_]+(\.\w+)+", word) and word.partition(".")[0] in top]
    unknown = [word for word in dotted if word not in known and not word.endswith((".yaml", ".json", ".jsonl"))]
    assert not unknown, f"{shown(readme)}: there are no such keys: {unknown}"


def keys_of(folder: Path) -> Iterator[str]:
    """Every key of every YAML, where its file puts it: below its group, or at the root for `@package _global_`."""
    for path in folder.rglob("*.yaml"):
        text = path.read_text()
        group = path.parent.relative_to(folder).parts
        yield from keys(
            yaml.safe_load(text), "" if "@package _global_" in text else "".join(f"{part}." for part in group)
        )


def keys(node: Any, above: str) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield f"{above}{name}"
            yield from keys(value, f"{above}{name}.")
