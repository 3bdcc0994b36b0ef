"""What the two licence checks share: the allow-list of deny.toml, SPDX expressions, the report.

Needs nothing but Python 3.11, which Debian 12 has.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Policy:
    """Which licences any package may have, and which ones a named package may have besides."""

    def __init__(self, allowed, exceptions):
        self.allowed = set(allowed)
        self.exceptions = {name: set(extra) for name, extra in exceptions.items()}

    @classmethod
    def from_deny_toml(cls):
        licences = tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]
        return cls(licences["allow"], {e["crate"]: e["allow"] for e in licences.get("exceptions", [])})

    def permits(self, package, expression):
        allowed = self.allowed | self.exceptions.get(package, set())
        return satisfied(expression, allowed)


def satisfied(expression, allowed):
    """Whether an SPDX licence expression can be met with the allowed licences alone.

    `A/B` is how older Rust packages write `A OR B`. A malformed expression is met by nothing.

    >>> satisfied("GPL-3.0 OR (MIT AND ISC)", {"MIT", "ISC"})
    True
    >>> satisfied("Apache-2.0/MIT", {"MIT"})
    True
    >>> satisfied("MIT AND GPL-3.0", {"MIT"})
    False
    >>> satisfied("Apache-2.0 WITH LLVM-exception", {"Apache-2.0"})
    False
    >>> [satisfied(malformed, {"MIT"}) for malformed in ("", "(MIT", "MIT MIT", "MIT OR")]
    [False, False, False, False]
    """
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
    try:
        result, rest = _any_of(words, allowed)
    except IndexError:
        return False
    return result and not rest


def _any_of(words, allowed):
    result, words = _all_of(words, allowed)
    while words and words[0].upper() == "OR":
        other, words = _all_of(words[1:], allowed)
        result = result or other
    return result, words


def _all_of(words, allowed):
    result, words = _one(words, allowed)
    while words and words[0].upper() == "AND":
        other, words = _one(words[1:], allowed)
        result = result and other
    return result, words


def _one(words, allowed):
    if words[0] == "(":
        result, words = _any_of(words[1:], allowed)
        if words[0] != ")":
            raise IndexError("missing )")
        return result, words[1:]
    name, words = words[0], words[1:]
    if words and words[0].upper() == "WITH":
        name, words = f"{name} WITH {words[1]}", words[2:]
    return name in allowed, words


def report(what, packages, policy):
    """Prints each package (name, version, licence) that the policy refuses; returns the exit status."""
    refused = [p for p in packages if not policy.permits(p[0], p[2] or "")]
    for name, version, licence in refused:
        print(f"{what}: {name} {version} is under {licence or 'no licence that it names'}", file=sys.stderr)
    if refused:
        print(f"{what}: take another package, or allow this licence in deny.toml with the reason", file=sys.stderr)
        return 1
    print(f"{what}: {len(packages)} packages, all under licences that deny.toml allows")
    return 0
