# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reader shows of a dump that differs from what it shows of all of RAM, or cannot show at all,
and why. Whatever is not here, word for word, makes the test fail; what is here and does not happen any
more does as well."""

import re
import typing

STOCK_612 = "stock 6.12"
BUILT_7 = "built 7"
# Only without a driver.
STOCK_61 = "stock 6.1"
STOCK_7 = "stock 7"
STOCK = "stock .*"
X86_64 = ("x86_64 6.1", "x86_64 6.12", "x86_64 7")
RISCV64 = ("riscv64 6.12",)


OLD_DRGN = (
    "drgn 0.0.22 uses a CPU's registers only if the number of the CPU happens to be the task's, and may show the "
    "stack of another task (fixed in 0.0.25). It also does not unwind a frame that has no debugging information; the "
    "CPU that crashed is in such a frame, in our module (fixed in 0.0.33).")

NO_CONSTANTS = (
    "crash reads constants at their addresses: the letters for the kernel's taint and for the states of tasks. The symbols of "
    "Debian's 6.1 name no data, so without a driver the controller does not find them. `sys` ends there, and `ps` shows idle "
    "kernel threads as `UN`. `kmdump info` and `kmdump tasks` need no such constants.")


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
    # It depends on which CPU crashed whether it happens, so the table has it in any case.
    chance: bool = False


KNOWN = [
    Known(1, "crash", ".*", f"{STOCK_612}|{STOCK_7}", "max",
          r"crash: invalid kernel virtual address: [0-9a-f]{16}  type: \"64-bit KVADDR\"",
          "crash 9.0.2 supports page tables of at most four levels with pages of 4 KiB. This kernel, on a CPU with 52-bit "
          "addresses, has five, and crash ends at the first address that needs them: the stack of a task. No option helps."),
    Known(2, "drgn of bookworm", "crashed_thread|each CPU|sleeping tasks", STOCK_612, ".*",
          r"#1 +notifier_call_chain .*\n#2 +\?\?\?|#\d+ +local_cpu_stop|#1 +0x[0-9a-f]+$",
          OLD_DRGN, chance=True),
    Known(2, "drgn of bookworm", "crashed_thread|each CPU|sleeping tasks", f"{STOCK_61}|{STOCK_7}", ".*",
          r"#\d+ +(local|arm64_nmi)_cpu_stop|#1 +0x[0-9a-f]+$|kthreadd\n *#0 +(?!__switch_to)",
          OLD_DRGN, chance=True),
    Known(3, "drgn of bookworm", ".*", BUILT_7, ".*",
          r"FaultError: address is not mapped: 0xffff8000[0-9a-f]{8}$",
          "The linker leaves an empty segment at address 0 in the vmlinux of a 7.x kernel. The libdw of bookworm computes "
          "the kernel's address from it, so drgn 0.0.22 looks for variables at their addresses without KASLR."),
    Known(4, "gdb-multiarch", "thread apply all bt", ".*", ".*",
          r'.* v?panic \(fmt=(fmt@entry=)?0x[0-9a-f]+ ("sysrq triggered crash\\n"|'
          r"<error: Cannot access memory at address 0x[0-9a-f]+>).*",
          "The frames are the same, but gdb cannot show the text that an argument points to if it is one of the kernel's "
          "constants, which are in VMLINUX and not in the dump.", dump_only=True),
    Known(5, "gdb-multiarch", "thread apply all bt", STOCK, "max",
          r"#\d+ +0x[0-9a-f]{16} in \?\? \(\)|Backtrace stopped: .*",
          "This kernel signs return addresses, and gdb 13.1 does not remove the signature. It can do so for programs, if "
          "the core gives the mask, but that turns a kernel address into a user address. kmdump and drgn show the frames."),
    Known(6, "makedumpfile", ".*", f"{STOCK_612}|{STOCK_7}", ".*",
          r"PAGE SIZE 0x1000 and VA Bits 52 not supported",
          "makedumpfile 1.7.8 does not support kernels that have 52-bit addresses with 4 KiB pages, and gives up before it "
          "reads memory."),
    Known(7, "lldb", "bt all", ".*", ".*",
          r' +frame #\d+: 0x[0-9a-f]{16} vmlinux`v?panic\(fmt="(sysrq triggered crash\\n)?".*',
          "The frames are the same, but lldb shows an empty text for an argument that points to one of the kernel's "
          "constants, which are in VMLINUX and not in the dump.", dump_only=True),
    Known(8, "lldb", "bt all", STOCK, "max",
          r" +frame #\d+: 0x[0-9a-f]{16}$",
          "This kernel signs return addresses, and lldb does not remove the signature: the backtrace ends at the first "
          "signed return address. kmdump and drgn show all frames."),
    Known(9, "crash", "sys", STOCK_61, ".*",
          r' *[A-Z ]+: .*|sys: read error: kernel virtual address: [0-9a-f]{16}  type: "tnt false"',
          NO_CONSTANTS, dump_only=True),
    Known(9, "crash", "ps", STOCK_61, ".*",
          r">? +\d+ +\d+ +\d+  [0-9a-f]{16}  (ID|UN) .*",
          NO_CONSTANTS, dump_only=True),
    Known(10, "crash", "foreach bt|bt -a", "x86_64 7", ".*",
          r' *#\d+ \[[0-9a-f]{16}\] \S+ at [0-9a-f]{16}( \*)?|bt: read error: .*"gdb_readmem.callback"',
          "crash 9.0.2 does not know the numbers that registers have in the unwinding tables (ORC) of Linux 7.3, and "
          "disassembles each function on a stack from its start instead. A dump has 2 KiB of code ahead of a return address "
          "and 2 KiB behind; of larger functions crash then shows more callers than there are, and marks its lines with "
          "`*`. `kmdump bt` and drgn show the callers.", dump_only=True),
    Known(11, "drgn", "crashed_thread|each CPU|sleeping tasks", "riscv64 .*", ".*",
          r"NotImplementedError: .* stack unwinding is not supported for RISC-V 64 architecture",
          "drgn 0.3.0 does not unwind stacks on riscv64, neither of CPUs nor of tasks. gdb and kmdump do."),
]


def find(reader, command, configuration):
    """The entries for a command on a guest."""
    return [known for known in KNOWN
            if known.reader == reader and re.fullmatch(known.commands, command)
            and re.fullmatch(known.kernels, configuration.kernel) and re.fullmatch(known.cpus, configuration.cpu)]
