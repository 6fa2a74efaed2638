"""The site: `make docs`, or `sphinx-build -W docs site`."""

import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import torch._dynamo  # noqa: E402, F401  (before TensorFlow, behind whose LLVM that of Triton ends the process)
from ext import docstrings, pages  # noqa: E402

project = "seglosses"
author = "the authors of seglosses"
language = "en"

extensions = [
    "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx_copybutton", "myst_parser",
    "ext.mathml", "ext.run",
]  # fmt: skip
exclude_patterns = ["ext", "**/made"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"
python_maximum_signature_line_length = 70
smartquotes_action = "D"  # dashes, and no quotes: those are code
copybutton_prompt_text = ">>> "
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

html_theme = "furo"
html_title = "seglosses"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}


def setup(app: Any) -> None:
    app.connect("builder-inited", lambda app: pages.write())
    # Before napoleon, which reads what these have written.
    app.connect("autodoc-process-docstring", docstrings.process_docstring, priority=400)
    app.connect("autodoc-process-signature", docstrings.process_signature)
