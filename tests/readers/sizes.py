# SPDX-License-Identifier: GPL-2.0-or-later
"""How large dumps of the same guest are, by profile and by tool."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import full_core
import guest

PROFILES = {
    "profile `log`": "kmemdump.profile=log",
    "profile `tasks`, `kallsyms=0`": "kmemdump.profile=tasks kmemdump.kallsyms=0",
    "profile `stacks`, `kallsyms=0`": "kmemdump.kallsyms=0",
    "profile `stacks`, the default": "",
}
SLEEPERS = 100
# Of the figures of one run in those of another: there are some tasks more or less.
TOLERANCE = 0.15


def zstd_size(path):
    """Bytes of a file as `zstd` makes them."""
    return len(subprocess.run(["zstd", "-q", "-c", str(path)], check=True, stdout=subprocess.PIPE).stdout)


def filtered(makedumpfile, core, folder):
    """What `makedumpfile -c -d 31` leaves of all of RAM, in bytes; None when it does not know the kernel."""
    result = subprocess.run([str(makedumpfile), "-c", "-d", "31", str(core), "filtered"], cwd=folder, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if result.returncode == 0:
        return (folder / "filtered").stat().st_size
    if "VA Bits 52 not supported" in result.stdout:
        return None
    raise RuntimeError(f"makedumpfile: {result.stdout}")


def measure(configuration, makedumpfile):
    """[(what, bytes, bytes with zstd)]; None is what there is not."""
    rows = []
    for name, command_line in [*PROFILES.items(), ("sleepers", f"kmd.sleepers={SLEEPERS}")]:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="kmemdump-sizes-"))
        default = command_line == ""
        dump, qemus = guest.crash(configuration, folder, command_line, kdump=default)
        size, compressed = dump.stat().st_size, zstd_size(dump)
        if name == "sleepers":
            before = rows[-1]
            name = f"each of {SLEEPERS} sleeping processes adds"
            size, compressed = (size - before[1]) // SLEEPERS, (compressed - before[2]) // SLEEPERS
        rows.append((name, size, compressed))
        if default:
            full_core.write(qemus, folder / "core")
            others = [("RAM", qemus.stat().st_size, None),
                      ("QEMU, kdump-zlib", None, (folder / "qemu.kdump").stat().st_size),
                      ("`makedumpfile -c -d 31`", None, filtered(makedumpfile, folder / "core", folder))]
        shutil.rmtree(folder)
        print(f"    {configuration.title}: {name}: {size} bytes, {compressed} with zstd", file=sys.stderr, flush=True)
    return others + rows


def table(configurations, makedumpfile):
    """Markdown."""
    lines = ["| | " + " | ".join(f"{c.kernel} | compressed" for c in configurations) + " |",
             "|---|" + "---|" * (2 * len(configurations))]
    for row in zip(*[measure(configuration, makedumpfile) for configuration in configurations]):
        numbers = [f"{number:,}" if number is not None else "" for _, *sizes in row for number in sizes]
        lines.append(f"| {row[0][0]} | " + " | ".join(numbers) + " |")
    return "\n".join(lines) + "\n"


def alike(one, other):
    """Whether two tables differ in their figures alone, and not by much."""
    number = re.compile(r"\d[\d,]{2,}")
    if number.sub("", one) != number.sub("", other):
        return False
    pairs = zip(number.findall(one), number.findall(other))
    values = [[int(text.replace(",", "")) for text in pair] for pair in pairs]
    return all(abs(a - b) <= TOLERANCE * max(a, b) for a, b in values)
