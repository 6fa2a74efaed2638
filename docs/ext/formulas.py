"""From a formula as docstrings have it, `L = 1 − (2 Σ y p + ε) / (Σ p + Σ y + ε)`, to LaTeX.

A docstring stays readable where it is read as text, and no formula is written twice. What stands side by side is
multiplied, `/` divides all before it in a term by all after it, and functions need no parentheses.
"""

from __future__ import annotations

import re
from itertools import pairwise

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "η": "eta", "ξ": "xi", "θ": "theta",
    "λ": "lambda", "μ": "mu", "π": "pi", "σ": "sigma", "τ": "tau", "φ": "varphi", "ω": "omega", "Φ": "Phi",
}  # fmt: skip
WORDS = {
    "log": r"\log", "exp": r"\exp", "cosh": r"\cosh", "max": r"\max", "min": r"\min", "det": r"\det",
    "mean": r"\operatorname{mean}", "median": r"\operatorname{median}", "std": r"\operatorname{std}",
    "softmax": r"\operatorname{softmax}", "erode": r"\operatorname{erode}", "dilate": r"\operatorname{dilate}",
    "TP": r"\mathrm{TP}", "TN": r"\mathrm{TN}", "FP": r"\mathrm{FP}", "FN": r"\mathrm{FN}",
    "CE": r"\mathrm{CE}", "Dice": r"\mathrm{Dice}", "top": r"\mathrm{top}", "hard": r"\mathrm{hard}",
}  # fmt: skip
SIGNS = {
    "Σ": r"\sum", "ℓ": r"\ell", "ŷ": r"\hat{y}", "½": r"\frac{1}{2}", "∇": r"\nabla", "…": r"\ldots",
}  # fmt: skip
RELATIONS = {"=": "=", "≥": r"\geq", "≤": r"\leq", ">": ">", "<": "<", "≠": r"\neq", "∈": r"\in"}
PAIRS = {
    "(": (")", "(", ")"), "[": ("]", "[", "]"), "|": ("|", "|", "|"), "‖": ("‖", r"\|", r"\|"),
    "⌊": ("⌋", r"\lfloor", r"\rfloor"),
}  # fmt: skip
RAISED = {"²": "2", "³": "3", "⁻¹": "-1", "ᵀ": r"\top", "⁻⁸": "-8"}
LOWERED = {"₊": "+", "₋": "-", "₁": "1", "₂": "2"}
TOKEN = re.compile(
    r"\s*(\d+(?:\.\d+)?|⁻?[¹²³⁸]|[A-Za-z]{2,}|[A-Za-z]|_\{[^}]*\}|_[A-Za-z0-9α-ωŷ]+|\S)", re.ASCII
)


class NoFormula(ValueError):
    """The text is none, or has what this module does not know."""


def latex(text: str, *, display: bool = False) -> str:
    """The formula in LaTeX; if it is not displayed, with `/` for fractions."""
    return _Reader(text, display).whole()


def is_formula(text: str) -> bool:
    """Whether it is one, and no code: not `(N, *S)`, `smooth=0` nor `mask`."""
    if text in WORDS or re.search(r"""["*:]|\w=|=$|^\([A-Z](, [A-Z])*,?\)$""", text):
        return False
    try:
        latex(text)
    except NoFormula:
        return False
    return True


class _Reader:
    def __init__(self, text: str, display: bool) -> None:
        self.text, self.fractions = text, display
        self.tokens = TOKEN.findall(text.strip())
        self.place = 0

    def whole(self) -> str:
        found = self.relations()
        if self.peek():
            raise self.unknown()
        return found

    def unknown(self) -> NoFormula:
        return NoFormula(f"{self.peek() or 'the end'!r} at token {self.place} of {self.text!r}")

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.place += 1
        return token

    def relations(self) -> str:
        """Sums with relations or commas between them."""
        parts = [self.sum()]
        while self.peek() in (*RELATIONS, ","):
            sign = self.take()
            if sign == ",":
                parts[-1] += ","
            else:
                parts.append(RELATIONS[sign])
            parts.append(self.sum())
        return " ".join(parts)

    def sum(self) -> str:
        parts = []
        if self.peek() == "−":
            self.take()
            parts.append("-")
        parts.append(self.term())
        while self.peek() in ("+", "−"):
            parts += ["+" if self.take() == "+" else "-", self.term()]
        return " ".join(parts)

    def term(self) -> str:
        above = self.product()
        if self.peek() != "/":
            return _joined(above)
        self.take()
        below = self.product()
        if self.fractions:
            return rf"\frac{{{_joined(_bare(above))}}}{{{_joined(_bare(below))}}}"
        return f"{_joined(above)} / {_joined(below)}"

    def product(self) -> list[str]:
        factors = [self.factor()]
        while True:
            token = self.peek()
            if token == "·":
                self.take()
                factors += [r"\cdot", self.factor()]
            elif token and token not in (*RELATIONS, ",", "+", "−", "/", ")", "]", "⌋") and not self.closes():
                factors.append(self.factor())
            else:
                return factors

    open_bars: tuple[str, ...] = ()

    def closes(self) -> bool:
        """Whether a bar ends what it stands in."""
        return self.peek() in self.open_bars[-1:]

    def factor(self) -> str:
        found = self.atom()
        while True:
            token = self.peek()
            if token in RAISED:
                found += f"^{{{RAISED[self.take()]}}}"
            elif token in LOWERED:
                found += f"_{{{LOWERED[self.take()]}}}"
            elif token == "'":
                found += self.take()
            elif token.startswith("_"):
                found += f"_{{{_subscript(self.take())}}}"
            elif token == "^":
                self.take()
                found += f"^{{{self.exponent()}}}"
            else:
                return found

    def exponent(self) -> str:
        fractions, self.fractions = self.fractions, False
        found = [self.factor()]
        self.fractions = fractions
        return _bare(found)[0]

    def atom(self) -> str:
        token = self.take()
        if token in PAIRS:
            return self.pair(token)
        if token == "√":
            return rf"\sqrt{{{_bare([self.factor()])[0]}}}"
        if token in WORDS:
            return WORDS[token]
        if token in SIGNS:
            return SIGNS[token]
        if token in GREEK:
            return "\\" + GREEK[token]
        if re.fullmatch(r"[\d.]+|[A-Za-z]", token, re.ASCII):
            digit = re.fullmatch(r"\d", self.peek())
            if token.isalpha() and digit and self.beside():
                return f"{token}_{{{self.take()}}}"
            return token
        if re.fullmatch("[A-Za-z]{2}", token, re.ASCII):  # a product without a space
            return " ".join(token)
        self.place -= 1
        raise self.unknown()

    def beside(self) -> bool:
        """Whether nothing stands between this token and the one before, as in c1."""
        return self.tokens[self.place - 1] + self.peek() in self.text

    def pair(self, opening: str) -> str:
        closing, left, right = PAIRS[opening]
        before, self.open_bars = self.open_bars, (*self.open_bars, closing)
        inner = self.relations()
        self.open_bars = before
        if self.take() != closing:
            self.place -= 1
            raise self.unknown()
        tall = r"\frac" in inner
        return rf"\left{left} {inner} \right{right}" if tall else f"{left}{inner}{right}"


_FRACTION = re.compile(r"\\left\( \\frac\{[^{}]*\}\{[^{}]*\} \\right\)")


def _joined(factors: list[str]) -> str:
    """A product. A fraction alone needs no parentheses, names of several letters need a space between them."""
    factors = [_bare([factor])[0] if _FRACTION.fullmatch(factor) else factor for factor in factors]
    text = factors[0]
    for before, factor in pairwise(factors):
        function = re.match(r"\\(log|cosh|det|exp|max|min|operatorname)\b(?!.*[)\]])", before)
        apart = "mathrm" in before + factor or (function and factor[0] not in "([")
        text += (r" \, " if apart else " ") + factor
    return text


def _bare(factors: list[str]) -> list[str]:
    """Without parentheses around all of it, which a fraction, a root or an exponent makes needless."""
    if len(factors) > 1:
        return factors
    (text,) = factors
    for left, right in (("(", ")"), (r"\left(", r"\right)")):
        if text.startswith(left) and text.endswith(right):
            return [text[len(left) : -len(right)].strip()]
    return factors


def _subscript(token: str) -> str:
    """What stands below: letters are indices side by side, words are upright."""
    text = token.removeprefix("_").strip("{}")
    if text in WORDS:
        return WORDS[text]
    if len(text) > 2 and text.isalpha():
        raise NoFormula(f"{text!r} is no index")
    return " ".join("\\" + GREEK[c] if c in GREEK else "-" if c == "−" else c for c in text)
