""".github/DEPENDENCIES.md lists every dependency of pyproject.toml, with the licence that its own metadata names."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
CORE = ""
# How metadata that has no SPDX expression writes the licence of the table.
WRITTEN = {"Apache": "Apache", "BSD": "BSD", "MIT": "MIT", "Python": "Python Software Foundation", "OLDAP": "OLDAP"}
# What earlier versions say: the same by its former name, and a classifier that their own LICENSE is not.
EARLIER = {"pillow": "HPND", "open_clip_torch": "Apache"}


def rows() -> list[list[str]]:
    """The rows of the table: package, extra, what for, licence."""
    lines = (TOP / ".github" / "DEPENDENCIES.md").read_text().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]


def declared() -> set[tuple[str, str]]:
    """Package and extra, of pyproject.toml; Python 3.10 has no reader of such files."""
    text = re.sub(r"#.*", "", (TOP / "pyproject.toml").read_text())
    core = text[text.index("\ndependencies = [") : text.index("[project.optional-dependencies]")]
    extras = text[text.index("[project.optional-dependencies]") : text.index("[project.scripts]")]
    extras = re.sub(r'"gan-lab\[[^"]*"', "", extras)
    found = {(name, CORE) for name in packages(core)}
    for extra, content in re.findall(r"^(\w+) = \[(.*?)\]", extras, re.DOTALL | re.MULTILINE):
        found |= {(name, extra) for name in packages(content)}
    return found


def packages(text: str) -> list[str]:
    return re.findall(r'"([A-Za-z][\w.-]*?)(?:[<>=!~][^"]*)?"', text)


def test_the_list_is_that_of_pyproject() -> None:
    listed = {(package, extra) for package, extras, _, _ in rows() for extra in re.split(r", ", extras)}
    assert listed == declared()
    assert len(declared()) > 25


def test_each_says_what_it_is_for() -> None:
    assert [row for row in rows() if len(row) != 4 or not row[2] or not row[3]] == []
    assert len({row[2] for row in rows()}) == len(rows())


@pytest.mark.parametrize(("package", "licence"), [(row[0], row[3]) for row in rows()])
def test_the_licence_is_what_the_package_says(package: str, licence: str) -> None:
    try:
        about = metadata(package)
    except PackageNotFoundError:
        pytest.skip("is not installed")
    if about["License-Expression"]:
        assert licence in re.split(r" AND | OR |[()]", about["License-Expression"])
        return
    kinds = [each for each in about.get_all("Classifier") or [] if each.startswith("License ::")]
    said = " ".join([*kinds, (about["License"] or "").partition("\n")[0]])
    word = WRITTEN[licence.partition("-")[0]]
    assert word in said or EARLIER.get(package, word) in said, said
