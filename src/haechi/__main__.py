"""``python -m haechi``."""

from __future__ import annotations

from haechi.cli import main

main()
