"""The words of the console's pages: a file per language, looked up by dotted keys."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

DEFAULT_LANGUAGE = "en"


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
    text = files("frontdesk.console").joinpath("words", f"{language}.yaml").read_text(encoding="utf-8")
    return Words(dict(_flattened(YAML(typ="safe").load(text))))


def _flattened(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    result: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            result += _flattened(value, f"{prefix}{key}.")
        else:
            result.append((f"{prefix}{key}", str(value)))
    return result
