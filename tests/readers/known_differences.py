# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reader shows of a dump that differs from what it shows of all of RAM, or cannot show at all,
and why. Whatever is not here, word for word, makes the test fail; what is here and does not happen any
more does as well."""

import re
import typing

STOCK_612 = "stock 6.12"
BUILT_7 = "built 7"


class Known(typing.NamedTuple):
    number: int  # of the footnote in docs/readers.md
    reader: str
    commands: str  # regular expression
    kernels: str  # regular expression
    cpus: str  # regular expression
    # What the reader says instead of an answer, on all of RAM as well; or, with `dump_only`, each line
    # of the answer that is not the same.
    says: str
    cause: str
    dump_only: bool = False


KNOWN = [
    Known(1, "makedumpfile", ".*", STOCK_612, ".*",
          r"PAGE SIZE 0x1000 and VA Bits 52 not supported",
          "makedumpfile 1.7.8 does not know kernels with 52-bit addresses and 4 KiB pages: it gives up before it "
          "reads memory."),
]


def find(reader, command, configuration):
    """The entries for a command on a guest."""
    return [known for known in KNOWN
            if known.reader == reader and re.fullmatch(known.commands, command)
            and re.fullmatch(known.kernels, configuration.kernel) and re.fullmatch(known.cpus, configuration.cpu)]
