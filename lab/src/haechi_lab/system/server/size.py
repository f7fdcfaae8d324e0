"""What the extra haechi[web] adds to an installation."""

from __future__ import annotations

import re
from importlib import metadata
from typing import Any

from haechi.errors import UsageError
from haechi_lab.system.server.result import row
from haechi_lab.system.speed import installed_mb


def size() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and facts: MB on disk of all that the default installation does not have already."""
    base, added = installed_mb(), dict[str, float]()
    for line in metadata.distribution("haechi").requires or []:
        if re.search(r"extra == ['\"]web['\"]", line):
            added |= installed_mb(re.split(r"[\s;<>=!~(\[]", line, maxsplit=1)[0])
    if not added:
        raise UsageError("This installation does not know the extra: pip install -e '.[dev]'")
    new = {name: megabytes for name, megabytes in added.items() if name not in base}
    rows = [row("what haechi[web] adds to the installation", sum(new.values()), "MB", 40)]
    return rows, {"installed_mb": {k: round(v, 2) for k, v in sorted(new.items(), key=lambda p: -p[1])}}
