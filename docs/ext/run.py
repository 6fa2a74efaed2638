"""The directive `run`: code that is shown, run while the site is built, and followed by what it printed and drew.

Blocks of a page share their variables. What is printed by `:markdown:` is part of the page, `:hide:` leaves out the
code. An error or a warning of the code stops the build, but for what a library `:warns:` of itself.
"""

from __future__ import annotations

import io
import sys
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


class Run(SphinxDirective):
    has_content = True
    option_spec = {  # noqa: RUF012
        "markdown": directives.flag, "hide": directives.flag, "warns": directives.flag, "alt": directives.unchanged
    }  # fmt: skip

    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content) + "\n"
        variables = self.env.temp_data.setdefault("variables of run", {"__name__": "__main__"})
        printed = io.StringIO()
        with warnings.catch_warnings(), redirect_stdout(printed):
            warnings.simplefilter("ignore" if "warns" in self.options else "error")
            exec(compile(text, f"<{self.env.docname}, line {self.lineno}>", "exec"), variables)
        shown: list[nodes.Node] = []
        if "hide" not in self.options:
            code = nodes.literal_block(text, text, language="python")
            shown.append(code)
        if "markdown" in self.options:
            lines = StringList(printed.getvalue().splitlines(), self.env.docname)
            self.state.nested_parse(lines, self.content_offset, box := nodes.container())
            shown += box.children
        elif printed.getvalue():
            shown.append(nodes.literal_block("", printed.getvalue(), language="text", classes=["printed"]))
        return shown + self.pictures()

    def pictures(self) -> list[nodes.Node]:
        """The figures of matplotlib that the code has left open, saved beside the page."""
        if "matplotlib.pyplot" not in sys.modules:
            return []
        from ext.pictures import plt, save

        found: list[nodes.Node] = []
        for number in plt.get_fignums():
            page = Path(self.env.doc2path(self.env.docname))
            path = page.parent / "made" / f"{page.stem}-{self.lineno}-{number}.svg"
            path.parent.mkdir(exist_ok=True)
            save(plt.figure(number), path)
            found.append(nodes.image(uri=f"made/{path.name}", alt=self.options.get("alt", "")))
        return found


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("run", Run)
    return {"parallel_read_safe": True}
