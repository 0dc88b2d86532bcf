# SPDX-License-Identifier: GPL-2.0-or-later
# Run by drgn, with the program in `prog` and a file of drgn-crash's commands as the argument: the answer to each
# behind a line that starts with "#### ". What fails says why and does not keep the rest from being asked.
import pathlib
import sys

from drgn.commands import run_command

for command in pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
    print(f"#### {command}", flush=True)
    try:
        run_command(prog, f"crash {command}")
    except Exception as error:  # whatever it is, it is the answer
        print(f"{type(error).__name__}: {error}")
    sys.stdout.flush()
