"""Tab completion, installed once for all verbs.

The shell calls `gan-lab --complete` with the line up to the cursor in `$COMP_LINE` and gets one candidate per line.
Verbs, actions, flags and paths are answered here; overrides by Hydra's own completion, with the verb taken out.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from gan_lab.command_line import flags as flag_words
from gan_lab.command_line.overrides import PATH_KEYS, read
from gan_lab.command_line.verbs import VERBS
from gan_lab.errors import ConfigError

# Bash breaks words at "=" and ":", so what stands before the last of them is already on the line.
BASH = """\
_gan_lab() {
    local line="${COMP_LINE:0:COMP_POINT}" IFS=$'\\n' word ready i
    word="${line##*[[:space:]]}"
    ready="${word%"${word##*[=:]}"}"
    COMPREPLY=($(COMP_LINE="$line" "${1/#\\~/$HOME}" --complete 2>/dev/null))
    for i in "${!COMPREPLY[@]}"; do
        case "${COMPREPLY[i]}" in
            *=* | *. | */) ;;
            *) COMPREPLY[i]+=" " ;;
        esac
        COMPREPLY[i]="${COMPREPLY[i]#"$ready"}"
    done
}
complete -o nospace -F _gan_lab gan-lab
# To install, put this line into ~/.bashrc:
#   eval "$(gan-lab --install-completion bash)"
"""
ZSH = """\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_gan_lab() {
    local -a found open
    found=("${(@f)$(COMP_LINE="${(j: :)words[1,CURRENT-1]} $PREFIX" "${(e)words[1]/#\\~/$HOME}" --complete 2>/dev/null)}")
    found=(${found:#})
    open=(${(M)found:#(*=*|*.|*/)})
    found=(${found:#(*=*|*.|*/)})
    compadd -Q -S '' -a open
    compadd -Q -a found
}
compdef _gan_lab gan-lab
# To install, put this line into ~/.zshrc:
#   eval "$(gan-lab --install-completion zsh)"
"""
FISH = """\
function _gan_lab
    set -l words (commandline -cpo)
    set -lx COMP_LINE (commandline -cp)
    eval $words[1] --complete 2>/dev/null
end
complete -c gan-lab -f -a '(_gan_lab)'
# To install, put this line into ~/.config/fish/config.fish:
#   gan-lab --install-completion fish | source
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def script(shell: str, environment: Mapping[str, str] = os.environ) -> str:
    """What the shell evaluates to complete `gan-lab`; `guess` takes the shell from $SHELL."""
    name = Path(environment.get("SHELL", "")).name if shell == "guess" else shell
    if name not in SCRIPTS:
        raise ConfigError(f"name the shell: gan-lab --install-completion {'|'.join(SCRIPTS)}")
    return SCRIPTS[name]


def candidates(environment: Mapping[str, str] = os.environ) -> list[str]:
    """What may stand where the cursor is, sorted; nothing where the line makes no sense."""
    line = environment.get("COMP_LINE", "")
    words = line.split()
    current = words.pop() if words and not line[-1].isspace() else ""
    try:
        return sorted(word for word in _candidates(words[1:], current) if word.startswith(current))
    except Exception:  # a shell waits for an answer: whatever is wrong with the line, there is none
        return []


def _candidates(before: Sequence[str], current: str) -> Sequence[str]:
    flag = flag_words.BY_NAME.get(before[-1]) if before else None
    if flag and flag.takes_value and (flag.choices or not flag.default) and not _is_flag(current):
        found = list(flag.choices) or _paths("", current, folders_only=True)
        if found and not flag.default:
            return found
        if any(choice.startswith(current) for choice in flag.choices):
            return found
    flags, others = flag_words.split(before)
    if _is_flag(current):
        return [known.name for known in (flag_words.HYDRA if others else (*flag_words.OWN, *flag_words.HYDRA))]
    if not others:
        return list(VERBS)
    verb, *overrides = others
    if VERBS[verb].actions:
        if not overrides:
            return VERBS[verb].actions
        overrides = [word for word in overrides if "=" in word]
    key, value = read(current).key, read(current).value
    if key in PATH_KEYS and value:
        return _paths(f"{key}=", value)
    return [word for word in _hydra(verb, flags, overrides, current) if _is_wanted(word, current)]


def _is_flag(word: str) -> bool:
    return word.startswith("-")


def _is_wanted(word: str, current: str) -> bool:
    """Hydra's own keys are many and rarely meant: only who types an h sees them."""
    return read(current).key.startswith("h") or not read(word).key.startswith("hydra")


def _paths(prefix: str, begun: str, folders_only: bool = False) -> list[str]:
    """Files and folders that go on from `begun`; folders end in a slash."""
    folder, _, name = begun.rpartition("/")
    start = Path(f"{folder}/" if "/" in begun else ".").expanduser()
    if not start.is_dir():
        return []
    shown = begun[: len(begun) - len(name)]
    there = [path for path in start.iterdir() if path.name.startswith(name) and (name or path.name[0] != ".")]
    return [
        f"{prefix}{shown}{path.name}{'/' if path.is_dir() else ''}"
        for path in there
        if path.is_dir() or not folders_only
    ]


def _hydra(verb: str, flags: Mapping[str, str], overrides: Sequence[str], current: str) -> list[str]:
    """Ask Hydra, whose completion reads the line without the verb from `$COMP_LINE`."""
    from gan_lab.command_line.job import Job
    from gan_lab.command_line.launch import under_hydra

    sweep = ["-m"] if "--multirun" in flags else []
    places = {name: value for name, value in flags.items() if name.startswith("--config-")}
    os.environ["COMP_LINE"] = " ".join(["gan-lab", *sweep, *overrides, current])
    answer = io.StringIO()
    with redirect_stdout(answer), redirect_stderr(io.StringIO()):
        under_hydra(Job(verb), [*flag_words.join(places), "-sc", "query=fish"])
    return answer.getvalue().split()


