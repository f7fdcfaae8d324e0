"""``python -m haechi_lab.docs``: write what the documentation takes from the program."""

from __future__ import annotations

from pathlib import Path

from haechi_lab.docs.pages import refresh

if __name__ == "__main__":
    for file in refresh(Path()):
        print(f"written: {file}")
