"""What the READMEs hold, for the tests of them: code blocks, commands, links and tables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
READMES = sorted(
    [ROOT / "README.md", *(p for top in (".github", "configs", "gan_lab") for p in (ROOT / top).rglob("*.md"))]
)
TABLE = re.compile(r"<!--table ([\w/ ]+)-->\n(.*?)<!--/table-->", re.DOTALL)


class Table(NamedTuple):
    """A table between `<!--table NAME-->` and `<!--/table-->`: its columns, and the cells of each row by column."""

    file: Path
    columns: list[str]
    rows: list[dict[str, str]]

    @property
    def names(self) -> list[str]:
        """What the rows are about: what their first cell has in backticks, or as a link's words, or all of it."""
        return [name_of(row[self.columns[0]]) for row in self.rows]

    @property
    def by_name(self) -> dict[str, dict[str, str]]:
        return dict(zip(self.names, self.rows, strict=True))


def shown(path: Path) -> str:
    """A file of the repository as a person calls it."""
    return path.relative_to(ROOT).as_posix()


def name_of(cell: str) -> str:
    found = re.search(r"`([^`]+)`", cell) or re.search(r"\[(.*?)\]", cell)
    return found.group(1) if found else cell


def tables() -> dict[str, Table]:
    """Every table of every README by its name."""
    found: dict[str, Table] = {}
    for file in READMES:
        for name, body in TABLE.findall(file.read_text()):
            assert name not in found, f"{shown(file)}: there is a table {name} in {shown(found[name].file)} already"
            found[name] = Table(file, *read_table(body))
    return found


def read_table(body: str) -> tuple[list[str], list[dict[str, str]]]:
    """The first table of Markdown in `body`."""
    lines = [line for line in body.splitlines() if line.startswith("|")]
    columns, _, *rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    for row in rows:
        assert len(row) == len(columns), f"{len(columns)} columns, but: {row}"
    return columns, [dict(zip(columns, row, strict=True)) for row in rows]


def blocks(text: str, language: str) -> list[str]:
    """The code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def files(text: str) -> dict[str, str]:
    """The files that a README tells to write: code blocks whose first line is `# PATH`."""
    found: dict[str, str] = {}
    for body in blocks(text, "(?:python|yaml)"):
        first, _, rest = body.partition("\n")
        if re.fullmatch(r"# my_[\w/]+\.(py|yaml)", first):
            assert found.get(first[2:], rest) == rest, f"{first[2:]} is there twice, and not the same"
            found[first[2:]] = rest
    return found


def commands(text: str) -> Iterator[list[str]]:
    """The words behind `gan-lab` of every command in a shell block, and of every one in the text that has a verb."""
    typed = [line for body in blocks(text, "bash") for line in body.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    typed += [span for span in re.findall(r"`([^`\n]+)`", prose) if span.startswith("gan-lab ")]
    for line in typed:
        words = shlex.split(line, comments=True)
        starts = [place for place, word in enumerate(words) if word.rpartition("/")[2] == "gan-lab"]
        for start in starts:
            rest = words[start + 1 :]
            end = next((place for place, word in enumerate(rest) if word in ("&&", "|", ";")), len(rest))
            if rest[:1] != ["VERB"]:
                yield rest[:end]


def links(text: str) -> Iterator[str]:
    """The targets of links and pictures, but for those on the web."""
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)
    for target in [*re.findall(r"\]\(([^)\s]+)\)", prose), *re.findall(r'src="([^"]+)"', prose)]:
        if not target.startswith(("http://", "https://", "mailto:")):
            yield target


def anchors(text: str) -> set[str]:
    """What `#...` can lead to: headings as GitHub names them."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def arxiv(text: str) -> list[str]:
    """Numbers of papers."""
    return re.findall(r"(?<![\d.])\d{4}\.\d{4,5}(?![\d.]*\d)", text)


def spans(text: str) -> list[str]:
    """What stands in backticks outside of code blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def write_files(folder: Path) -> list[Path]:
    """Write every file that a README tells to write. Returns their paths."""
    written = []
    for name, text in {name: text for file in READMES for name, text in files(file.read_text()).items()}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written.append(path)
    return written
