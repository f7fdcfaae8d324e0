"""A run with stages that stand in, as a process of its own to be killed: python drive.py SOURCE OUT."""

from __future__ import annotations

import sys
from pathlib import Path

from haechi.batch import shards
from haechi.batch.progress import Form, Progress
from haechi.batch.run import Order, run
from haechi.settings import Settings

if __name__ == "__main__":
    shards.ROWS_A_SHARD = 7
    with Progress(Form.bar, quiet=True) as progress:
        run(Order(sys.argv[1], Path(sys.argv[2]), workers=2, target="targets:rows"), Settings(), progress)
