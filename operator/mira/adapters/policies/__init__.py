"""The admission policies that Mira ships, as YAML with a placeholder for the operator's accounts."""

import copy
import functools
import re
from collections.abc import Iterable, Sequence
from importlib import resources

import yaml

from mira.adapters.cluster import Object

PLACEHOLDER = "MIRA_OPERATOR_ACCOUNTS"
VALIDATING = ("operator-only", "promotions", "runs", "stages")
FILLING = ("fill",)
# A quote or a backslash would end the string in which CEL reads the name.
ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._@/-]*")


def shipped(accounts: Sequence[str]) -> list[Object]:
    """The validating policies and their bindings for these operator accounts: the rules, and all of them."""
    return _documents(VALIDATING, tuple(accounts))


def filling(accounts: Sequence[str]) -> list[Object]:
    """The mutating policies and their bindings, which fill in names and decide nothing."""
    return _documents(FILLING, tuple(accounts))


def source(name: str) -> str:
    """The text of one file, with the placeholder in it."""
    return (resources.files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")


def cel_list(accounts: Iterable[str]) -> str:
    """The accounts as a list in CEL, each once and in one order, as the chart renders them too."""
    names = sorted(set(accounts))
    if not names or not all(map(ACCOUNT.fullmatch, names)):
        raise ValueError(f"operator accounts must be user names such as system:serviceaccount:mira-system:x: {names}")
    return "[" + ", ".join(f"'{name}'" for name in names) + "]"


def _documents(names: tuple[str, ...], accounts: tuple[str, ...]) -> list[Object]:
    return copy.deepcopy(_parsed(names, accounts))


@functools.cache
def _parsed(names: tuple[str, ...], accounts: tuple[str, ...]) -> list[Object]:
    """The documents of these files, read once: every decision on an approval compares them."""
    operators = cel_list(accounts)
    texts = [source(name).replace(PLACEHOLDER, operators) for name in names]
    return [document for text in texts for document in yaml.safe_load_all(text)]
