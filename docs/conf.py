"""The documentation as a site: ``make docs`` builds it into docs/_build/html, and every warning is an error.

The pages are the Markdown files of this folder, which a forge shows as they are; links between them are
relative file names, which work in both.
"""

from __future__ import annotations

import importlib.metadata
import re
from typing import Any

project = "Haechi"
author = "The Haechi contributors"
project_copyright = "The Haechi contributors. Apache-2.0"
release = importlib.metadata.version("haechi")

extensions = ["myst_nb", "sphinx.ext.autodoc"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]
highlight_language = "none"  # most blocks are commands; those that are code name their language
suppress_warnings = ["misc.highlighting_failure"]  # JSON with "…" in it

myst_heading_anchors = 3  # `page.md#a-heading`, named as forges name them
myst_links_external_new_tab = False

# The notebook runs anew with every build, and an error in it fails the build. No page loads widgets from
# elsewhere.
nb_execution_mode = "force"
nb_execution_timeout = 180
nb_execution_raise_on_error = True
nb_ipywidgets_js: dict[str, Any] = {}

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {name: name for name in ("U8", "F32", "F64", "Fact", "Level", "MediaKind", "Status")}
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_title = "Haechi"
html_static_path = ["_static"]
html_css_files = ["haechi.css"]
html_copy_source = False
html_show_sourcelink = False


def _language(_app: Any, page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Pages named *.zh-CN.md say that they are Chinese, so that browsers and screen readers know."""
    if page.endswith(".zh-CN"):
        context["language"] = "zh-CN"


def _indented_is_code(
    _app: Any, _kind: str, _name: str, _object: Any, _options: Any, lines: list[str]
) -> None:
    """Docstrings of the project show code, trees and lists of names as Markdown does, by four blanks."""
    marked: list[str] = []
    inside = False
    for i, line in enumerate(lines):
        indented = line.startswith("    ")
        if indented and not inside and i > 0 and not lines[i - 1].strip():
            marked += ["::", ""]
        inside = indented or (inside and not line.strip())
        marked.append(line)
    lines[:] = marked


def _readable(*event: Any) -> tuple[str | None, str | None]:
    """Signatures without ``<factory>``, by which Python prints defaults that a dataclass makes for each
    object, and with the bare names of our aliases."""
    signature, returned = event[-2:]
    if signature is not None:
        signature = signature.replace("<factory>", "...")
        signature = re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", signature)
    return signature, returned


def setup(app: Any) -> None:
    app.connect("autodoc-process-signature", _readable)
    app.connect("autodoc-process-docstring", _indented_is_code)
    app.connect("html-page-context", _language)
