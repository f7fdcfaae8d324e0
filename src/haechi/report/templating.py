"""HTML from templates: the one environment of reports, cases and the pages of the server.

Whatever a template shows is escaped, and its control and bidirectional characters are written out, without
the template having to ask for it. Only ``Markup`` stands as it is; tests/test_templating.py lists the few
places that make some. A name that a template lacks is an error.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup, escape

from haechi.report.messages import say, visible

#: The tag for the attribute ``lang`` of HTML, where it differs from our name of the language.
HTML_LANG = {"zh": "zh-Hans"}


@cache
def environment(package: str) -> Environment:
    """The environment of the folder ``templates`` in a package, such as ``haechi.report``. Those of the
    report are also found in it, under ``report/``."""
    environment_ = Environment(
        loader=ChoiceLoader(
            [PackageLoader(package), PrefixLoader({"report": PackageLoader("haechi.report")})]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment_.filters["visible_lines"] = visible_lines
    environment_.filters["as_typed"] = escape
    return environment_


def render(template: str, lang: str, *, package: str = "haechi.report", **values: Any) -> Markup:
    """A template filled. In it ``say(code, **params)`` gives the sentence of the report's catalogue."""
    text = environment(package).get_template(template).render(say=partial(_say, lang), lang=lang, **values)
    return Markup(text)


def visible_lines(text: str) -> Markup:
    """Text whose line breaks stay, all else that hides or turns text written out."""
    return Markup("\n").join(visible(line) for line in text.replace("\r\n", "\n").split("\n"))


def _say(lang: str, code: str, /, **params: object) -> str:
    return say(code, lang, **params)


def _shown(value: Any) -> Any:
    """What stands in a page for a value: nothing hidden in it, unless it is HTML of ours already."""
    if isinstance(value, Markup) or not isinstance(value, str) or value.isprintable():
        return value
    return visible(value)
