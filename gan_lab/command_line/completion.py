"""Tab completion, installed once for all verbs.

The shell calls `gan-lab --complete` with the line up to the cursor in `$COMP_LINE` and gets one candidate per line.
Hydra's own completion copies its repository for every group it looks at, so only the composing is left to Hydra.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gan_lab.command_line import flags as flag_words
from gan_lab.command_line.choices import Choices, dotted, is_hydra
from gan_lab.command_line.overrides import PATH_KEYS, Override, add_plus, read
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
    local line="${(j: :)words[1,CURRENT-1]} $PREFIX" program="${words[1]/#\\~/$HOME}"
    found=("${(@f)$(COMP_LINE="$line" "$program" --complete 2>/dev/null)}")
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
        return sorted({word for word in _candidates(words[1:], current) if word.startswith(current)})
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
    bare = not VERBS[verb].actions and (VERBS[verb].subjects or (VERBS[verb].subject and not overrides))
    if bare and "=" not in current and (found := _paths("", current, True)):
        return [*found, *_overrides(Choices(verb, flags), read(current))]
    override = read(current)
    if override.value and override.key in PATH_KEYS:
        return _paths(f"{override.key}=", override.value)
    return _overrides(Choices(verb, flags, add_plus(overrides)), override)


def _is_flag(word: str) -> bool:
    return word.startswith("-")


def _overrides(known: Choices, begun: Override) -> list[str]:
    """Groups with their choices (in a list or a sweep too), keys part by part, a key's present value."""
    groups = known.groups()
    if begun.value is None:
        names = [f"{name}=" for name in groups] + _next_parts(known.config(), begun.key)
        return [f"{begun.prefix}{name}" for name in names]
    head = f"{begun.prefix}{begun.key}="
    if (group := begun.key.partition("@")[0]) in groups:
        head += begun.value[: max(begun.value.rfind(mark) for mark in ",[") + 1]
        return [f"{head}{choice}" for choice in groups[group]]
    present = dict(dotted(known.config(begun.key))).get(begun.key)
    if isinstance(present, bool):
        return [f"{head}true", f"{head}false"]
    return [f"{head}{present}"] if isinstance(present, (str, int, float)) else []


def _next_parts(tree: dict[str, Any], begun: str) -> list[str]:
    """The keys that go on from `begun` by one part: `trainer.` where there is more below, `seed=` where not.

    Hydra's own keys are many and rarely meant: only who types an h sees them.
    """
    below = begun.count(".")
    return [
        f"{key}." if isinstance(value, dict) and value else f"{key}="
        for key, value in dotted(tree)
        if key.count(".") == below and (begun.startswith("h") or not is_hydra(key))
    ]


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
