"""Text of others, which may hold anything, made fit to be shown: on a terminal, where some characters are commands, and
in a file."""

from __future__ import annotations

from typing import Any

from rich.text import Text


def printable(text: Any) -> str:
    """`text` with what cannot be seen (control characters, line ends, marks of direction) as Python writes it."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in str(text)
    )


def shown(text: Any, style: str = "") -> Text:
    """`printable` text for rich, in which brackets are brackets."""
    return Text(printable(text), style=style)
