"""The words of the console's and the simulator's pages: a folder per language and a file per area, looked up by dotted keys.

Another language is another folder with the same keys. A key ends in a word for what it is; `{name}` is filled in. Lines
without a full stop are labels.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from flask import g
from ruamel.yaml import YAML

DEFAULT_LANGUAGE = "en"
LANGUAGES = ("en", "es")  # a language goes by its own name, which is `app.own_name`


class Words:
    """The words of one language. `words("tasks.title")` gives the text; a key that is not there is a bug and raises KeyError."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)

    def __call__(self, key: str, /, **fields: object) -> str:
        return self._texts[key].format(**fields)

    def raw(self, key: str) -> str:
        """Return the text of a key with its `{fields}` unfilled."""
        return self._texts[key]

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def keys(self) -> frozenset[str]:
        return frozenset(self._texts)

    def of_code(self, group: str, code: str) -> str:
        """Return the word for a stored code, or the code itself where this release does not know it yet."""
        return self._texts.get(f"{group}.{code}", code.replace("_", " ").replace("-", " "))

    def section(self, group: str) -> dict[str, str]:
        """Return all texts of a group by their short keys, for a page's script."""
        prefix = f"{group}."
        return {key.removeprefix(prefix): text for key, text in self._texts.items() if key.startswith(prefix)}

    def count(self, key: str, n: int) -> str:
        """Return the text for a number of things: `key` with `_one` when there is one."""
        return self(f"{key}_one") if n == 1 else self(key, n=n)


@cache
def load_words(language: str = DEFAULT_LANGUAGE) -> Words:
    """Read the words of `language` once per process."""
    areas = files("frontdesk.console").joinpath("words", language).iterdir()
    texts = (YAML(typ="safe").load(area.read_text(encoding="utf-8")) for area in areas if area.name.endswith(".yaml"))
    return Words({key: text for tree in texts for key, text in _flattened(tree)})


def page_words() -> Words:
    """Return the words in the language of whom the page under way is for."""
    return load_words(g.get("language", DEFAULT_LANGUAGE))


def _flattened(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    result: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            result += _flattened(value, f"{prefix}{key}.")
        else:
            result.append((f"{prefix}{key}", str(value)))
    return result
