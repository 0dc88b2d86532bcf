# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the commands of docs/readers.md as they stand there, on a dump."""

import os
import pathlib
import re
import subprocess

import readers

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = TOP / "docs" / "readers.md"
PROMPTS = {"crash> ": "./scripts/crash", ">>> ": "DRGN", "(gdb) ": "gdb-multiarch", "(lldb) ": "lldb-19"}

CRASH_DRIVER = next(command.expected for command in readers.CRASH if command.title == "bt -l")
# What the output of a command, known by its first words, has to hold. One that is not here fails the test.
EXPECTED = {
    "./scripts/fetch-kernel": [r"."], "./scripts/fetch-vmlinux": [r"/vmlinux\n"], "./scripts/fetch-gdb-scripts": [r"/gdb\n"],
    "./scripts/build-crash": [r"/crash\n"], "./scripts/fetch-reader": [r"."],
    "kmdump log": [readers.PANIC], "kmdump cpus": [r"^ +[0-9a-f]{16}  panic\+0x"],
    "./scripts/crash": [readers.PANIC, readers.TRACE, r"kthreadd", r"TASKS: \d\d", CRASH_DRIVER],
    "DRGN": [readers.PANIC, readers.DRIVER + readers.TRACE, r"2 kthreadd #0 +__switch_to"],
    "gdb-multiarch": [readers.PANIC, readers.DRIVER + readers.TRACE, r" 2 +kthreadd\n", r"LWP 2"],
    "lldb-19": [readers.DRIVER + readers.TRACE, r"thread #2", r"^ +pc = 0xffff", r'"\d+\.\d+\.\d+'],
    "MAKEDUMPFILE": [], "VMCORE_DMESG": [readers.PANIC],
}


def expected_of(command):
    """None when there is no entry."""
    words = command.split()
    return EXPECTED.get(" ".join(words[:2]), EXPECTED.get(words[0]))


def commands():
    """[command of the shell, what is typed into it], in the order of the page."""
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("    "):
            continue
        line = line[4:]
        prompt = next((prompt for prompt in PROMPTS if line.startswith(prompt)), None)
        if prompt is None:
            found.append([line, ""])
        else:
            session = [entry for entry in found if entry[0].split()[0] == PROMPTS[prompt]][-1]
            # Python's prompt takes an empty line for the end of a loop.
            session[1] += line[len(prompt):] + ("\n\n" if prompt == ">>> " else "\n")
    return found


def wrong(configuration, vmcoreinfo, folder):
    """A sentence for each command that did not do what it should; of a dump "core" in the folder."""
    names = {"DUMP": folder / "core", "VMLINUX": configuration.vmlinux, "KERNEL": configuration.folder,
             "OFFSET": f"0x{vmcoreinfo['KERNELOFFSET']}", "MODULES": configuration.modules,
             "ADDRESS": readers.module_address(folder)}
    printed = {"fetch-reader drgn": "DRGN", "fetch-reader makedumpfile": "MAKEDUMPFILE",
               "fetch-reader vmcore-dmesg": "VMCORE_DMESG", "fetch-gdb-scripts": "SCRIPTS"}
    path = f"{TOP / 'build' / 'tools' / 'kmdump'}:{os.environ['PATH']}"
    sentences = []
    everything = commands()
    # What prints a path comes first: the sessions need it.
    everything.sort(key=lambda entry: not entry[0].startswith("./scripts/fetch"))
    for command, typed in everything:
        expected = expected_of(command)
        if expected is None:
            sentences.append(f"docs/readers.md has a command that no test runs: {command}")
            continue
        # With the modules built in, what is said of them is left out.
        if not configuration.modules:
            command = command.replace(" -s MODULES/kmemdump_md.ko", "")
            typed = "".join(line for line in typed.splitlines(True) if "MODULES" not in line and "ADDRESS" not in line)
        filled, typed_in = [re.sub(r"\b[A-Z_]{4,}\b", lambda match: str(names.get(match[0], match[0])), text)
                            for text in (command, typed)]
        result = subprocess.run(filled.replace("./scripts", str(TOP / "scripts")), shell=True, cwd=folder, input=typed_in,
                                text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=900, check=False, env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"})
        (folder / f"page-{len(sentences)}-{command.split()[0].replace('/', '_')}.txt").write_text(result.stdout, encoding="utf-8")
        for start, name in printed.items():
            if start in command:
                names[name] = result.stdout.splitlines()[-1]
        if command.startswith("MAKEDUMPFILE"):
            log = folder / "log.txt"
            text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
            # It cannot read those of kernels with 52-bit addresses: a footnote of the page.
            if (vmcoreinfo["NUMBER(VA_BITS)"] == "48") != bool(re.search(readers.PANIC, text)):
                sentences.append(f"{filled}: {result.stdout[-300:]}")
            continue
        missing = [pattern for pattern in expected if not re.search(pattern, result.stdout, re.M)]
        if result.returncode or missing:
            sentences.append(f"{filled}: exit status {result.returncode}, no {missing} in: {result.stdout[-600:]}")
    return sentences
