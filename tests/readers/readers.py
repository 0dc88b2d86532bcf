# SPDX-License-Identifier: GPL-2.0-or-later
"""The readers of dumps, what is asked of each, and what an answer has to hold to be one."""

import json
import os
import pathlib
import re
import subprocess
import typing

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build"
CACHE = os.environ.get("XDG_CACHE_HOME", str(pathlib.Path.home() / ".cache"))
MARK = "#### "


class Command(typing.NamedTuple):
    title: str  # as in the table
    expected: str  # regular expression of what the answer has to hold
    without_driver: str | None = None  # the same for a guest without our driver, if it differs
    x86_64: str | None = None  # the same for x86_64, if it differs

    def expected_of(self, configuration):
        of_architecture = self.x86_64 if configuration.architecture == "x86_64" else None
        return of_architecture or (None if configuration.driver else self.without_driver) or self.expected


class Reader(typing.NamedTuple):
    name: str
    commands: list
    # Asks everything of the file "core" in a folder: (tools, configuration, vmcoreinfo, folder) -> text
    # with a line "#### TITLE" ahead of each answer.
    ask: typing.Callable
    # Whether it is asked for what only a dump with capture=more has.
    of_more: bool = False
    # Whose dumps it is compared on.
    architectures: tuple = ("aarch64", "x86_64")


def that_read(configuration, chosen):
    """Those of the readers that are asked of the dump of a guest."""
    return [reader for reader in chosen
            if reader.of_more == configuration.more and configuration.architecture in reader.architectures]


def run(command, folder, stdin="", environment=None):
    """The output of a reader; a text about it when it takes too long."""
    try:
        result = subprocess.run([str(word) for word in command], cwd=folder, input=stdin, text=True, errors="replace",
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, check=False,
                                env={**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": CACHE, "LC_ALL": "C.UTF-8", "TZ": "UTC", "COLUMNS": "200",
                                     **(environment or {})})
        return result.stdout
    except subprocess.TimeoutExpired:
        return "no answer within 15 minutes\n"


def answers(text):
    """{title: answer} of an output with marks; what comes ahead of the first has the title ''."""
    parts = re.split(rf"^{MARK}(.*)\n", text, flags=re.M)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2]))}


def module_address(folder):
    """Where kmdump says that the code of our driver lies: kmemdump_md, on whose stack the CPU crashed."""
    output = subprocess.run([BUILD / "tools" / "kmdump" / "kmdump", "cpus", "--json", folder / "core"], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    return next((module["text"] for module in json.loads(output)["modules"] if module["name"] == "kmemdump_md"), None)


PANIC = r"Kernel panic - not syncing: sysrq triggered crash"
TRACE = r"panic.*\n(.*\n)*.*sysrq_handle_crash.*\n(.*\n)*.*write_sysrq_trigger"
# The function of our module that rings, with its place in the source: only debugging information has it.
DRIVER = r"md_panic.*kmemdump_md_core\.c:\d+.*\n(.*\n)*.*"
# What crash shows of running CPUs whose notes in crash_notes are empty: tasks without frames.
NO_FRAMES = r"\A(PID: .*\n+)+\Z"
SLEEPING = r"#0 .*__switch_to.*\n.*#1 .*__schedule"
SLEEPING_X86_64 = r"#0 .*__schedule.*\n.*#1 .*schedule"

CRASH = [
    Command("sys", r"PANIC: \"" + PANIC),
    Command("log", PANIC),
    Command("ps", r"kthreadd"),
    Command("bt -a", TRACE, TRACE + "|" + NO_FRAMES),
    Command("bt 2", r"kthreadd(.*\n)*.*" + SLEEPING, x86_64=r"kthreadd(.*\n)*.*" + SLEEPING_X86_64),
    Command("bt 3", SLEEPING, x86_64=SLEEPING_X86_64),
    Command("bt 4", SLEEPING, x86_64=SLEEPING_X86_64),
    Command("foreach bt", SLEEPING, x86_64=SLEEPING_X86_64),
    Command("p jiffies_64", r"jiffies_64 = \$\d+ = \d+"),
    Command("rd init_uts_ns 16", r"(.*\n){8}"),
    Command("mod", r"^[0-9a-f]{16}  kmemdump_md  |^no modules installed$"),
    Command("runq", r"CPU 0 RUNQUEUE"),
    Command("task", r"struct task_struct \{"),
    # With debugging information of our module.
    Command("mod -s kmemdump_md", r"^[0-9a-f]{16}  kmemdump_md .*kmemdump_md\.ko|no modules installed"),
    # Of a frame crash shows the line of the innermost function that was inlined there.
    Command("bt -l", r"md_panic at [0-9a-f]+.*\n +\S+\.[ch]: \d+",
            r"panic at [0-9a-f]+.*\n +\S+\.[ch]: \d+|" + NO_FRAMES),
]


def typed(command, configuration):
    """What is typed for a command of the table."""
    if command.title.startswith("mod -s") and configuration.modules:
        return f"{command.title} {configuration.modules}/kmemdump_md.ko"
    return command.title


def ask_crash(tools, configuration, _vmcoreinfo, folder):
    script = "".join(f"!echo '{MARK}{command.title}'\n{typed(command, configuration)}\n" for command in CRASH)
    (folder / "commands").write_text(script + "exit\n", encoding="utf-8")
    return run([tools.crash, "-s", "-i", "commands", configuration.vmlinux, "core"], folder)


DRGN = [
    Command("get_dmesg", PANIC),
    Command("for_each_task", r"\n2 kthreadd\n"),
    Command("crashed_thread", DRIVER + TRACE, TRACE),
    Command("each CPU", r"(?s)(?=.*#\d+ +panic \().*#\d+ +cpu_park_loop \(",
            x86_64=r"(?s)(?=.*#\d+ +v?panic \().*#\d+ +stop_this_cpu \("),
    Command("sleeping tasks", r"kthreadd\n#0 .*__switch_to", x86_64=r"kthreadd\n#0 .*(context_switch|__schedule)"),
    Command("variables", r"^0x[0-9a-f]+$"),
]


def drgn_arguments(configuration):
    modules = [configuration.modules / f"{name}.ko" for name in ("kmemdump", "kmemdump_md")] if configuration.modules else []
    files = [word for file in (configuration.vmlinux, *modules) for word in ("-s", file)]
    return ["-c", "core", *files, HERE / "drgn_commands.py"]


def ask_new_drgn(tools, configuration, _vmcoreinfo, folder):
    return run([tools.drgn, *drgn_arguments(configuration)], folder)


def ask_old_drgn(_tools, configuration, _vmcoreinfo, folder):
    return run(["/usr/bin/python3", "/usr/bin/drgn", *drgn_arguments(configuration)], folder)


# The commands of drgn-crash.
OBJECTS = [
    Command("foreach files", r'COMMAND: "init"\n(.*\n)*.* REG +/init\n'),
    Command("mount", r" proc +none +/proc\n(.*\n)*.* sysfs +none +/sys\n"),
    Command("ps -a", r"ARG: /bin/sh /init\nENV: HOME=/\n"),
    Command("vm 1", r" /bin/busybox\n"),
    Command("foreach sig", r"SIGNAL_STRUCT: .*\n(.*\n)* \[2\]"),
    Command("irq", r'"IPI"\n(.*\n)*.*"uart-pl011"'),
    Command("irq -s", r"^ *\d+: +\d+ +\d+ +GICv\d"),
    Command("irq -a", r"uart-pl011 +0"),
    Command("timer", r"^TIMER_BASES\[0\]\[BASE_LOCAL\](.*\n)+.*<\w+>"),
    Command("runq", r"CPU 1 RUNQUEUE"),
    Command("net", r"^[0-9a-f]{16}  lo +127\.0\.0\.1|^[0-9a-f]{16}  lo "),
    Command("dev", r"  mem +[0-9a-f]{16}  memory_fops\n(.*\n)*.* nvme"),
    Command("dev -d", r"^ *\d+ +[0-9a-f]{16} +nvme0n1 "),
    Command("dev -i", r"^[0-9a-f]{16} .* PCI IO$"),
    Command("dev -p", r"1b36:0010"),
    Command("kmem -i", r"TOTAL MEM +\d+"),
    Command("kmem -z", r'NAME: "DMA"'),
    Command("kmem -n", r"^ 0 +\d+ +[0-9a-f]{16}"),
    Command("kmem -v", r"^[0-9a-f]{16}  [0-9a-f]{16}  ffff[0-9a-f]{12} - ffff[0-9a-f]{12} +\d+$"),
]


def ask_drgn_crash(tools, configuration, _vmcoreinfo, folder):
    (folder / "commands").write_text("\n".join(command.title for command in OBJECTS), encoding="utf-8")
    return run([tools.drgn, "-c", "core", "-s", configuration.vmlinux, HERE / "drgn_objects.py", "commands"], folder)


GDB = [
    Command("info threads", r"\* 1 +LWP 1(.*\n)+ +2 +LWP 2"),
    # Without a driver the CPU waits with interrupts on. Neither gdb nor lldb unwinds one that has just taken an interrupt.
    Command("thread apply all bt", DRIVER + TRACE, TRACE + r"|^#0 +vectors \(\)"),
    Command("lx-dmesg", PANIC),
    Command("lx-ps", r" 2 +kthreadd\n"),
]


def ask_gdb(_tools, configuration, vmcoreinfo, folder):
    lines = ["set pagination off", "set width 0", "set confirm off",
             f"symbol-file -o 0x{vmcoreinfo['KERNELOFFSET']} {configuration.vmlinux}", "core-file core",
             f"python import sys; sys.path.insert(0, '{configuration.folder}/gdb')",
             "python import linux.utils, linux.dmesg, linux.tasks"]
    # It cannot unwind code that it has no symbols of, and the CPU that crashed stands in our module.
    if configuration.modules:
        lines.append(f"add-symbol-file {configuration.modules}/kmemdump_md.ko {module_address(folder)}")
    for command in GDB:
        lines += [f"echo {MARK}{command.title}\\n", command.title]
    # A command that fails ends a script, but not gdb when each comes by itself.
    arguments = [word for line in lines for word in ("-ex", line)]
    index = ["-iex", f"set index-cache directory {BUILD / 'gdb-index'}", "-iex", "set index-cache enabled on"]
    return run(["gdb-multiarch", "-nx", "-batch", *index, *arguments], folder)


LLDB = [
    Command("thread list", r"thread #1: tid = 1.*\n +thread #2: tid = 2"),
    Command("registers of every CPU", r"(?s)(?=.*\n +pc = 0xffff[0-9a-f]{12}.*\n +pc = 0xffff).*\n +v31 = "),
    Command("bt all", DRIVER + TRACE, TRACE + r"|frame #0: .*`vectors at "),
    Command("memory read &init_uts_ns", r"(^0x[0-9a-f]{16}: 0x[0-9a-f]{16} 0x[0-9a-f]{16}\n){8}"),
    Command("p init_uts_ns.name.release", r'"\d+\.\d+\.\d+'),
    Command("p jiffies_64", r"\(u64\) \d+$"),
]
LLDB_TYPED = {"registers of every CPU": ["script lldb.process.SetSelectedThreadByIndexID({cpu})", "register read --all"],
              "memory read &init_uts_ns": ["memory read --size 8 --count 16 --format x &init_uts_ns"]}


def ask_lldb(_tools, configuration, vmcoreinfo, folder):
    lines = [f"target create {configuration.vmlinux} --core core",
             f"target modules load --file vmlinux --slide 0x{vmcoreinfo['KERNELOFFSET']}"]
    if configuration.modules:
        lines += [f"target modules add {configuration.modules}/kmemdump_md.ko",
                  f"target modules load --file kmemdump_md.ko .text {module_address(folder)}"]
    for command in LLDB:
        lines.append(f"script print('{MARK}{command.title}')")
        per_cpu = LLDB_TYPED.get(command.title, [command.title])
        cpus = range(1, configuration.cpus + 1) if "{cpu}" in per_cpu[0] else [1]
        lines += [line.format(cpu=cpu) for cpu in cpus for line in per_cpu]
    # A command that fails would end a batch.
    lines.insert(0, "settings set interpreter.stop-command-source-on-error false")
    return run(["lldb-19", "--no-lldbinit", "--batch", *[word for line in lines for word in ("-o", line)]], folder)


MAKEDUMPFILE = [Command("--dump-dmesg", PANIC)]
VMCORE_DMESG = [Command("log", PANIC)]


def ask_makedumpfile(tools, _configuration, _vmcoreinfo, folder):
    log = folder / "makedumpfile.log"
    log.unlink(missing_ok=True)
    output = run([tools.makedumpfile, "--dump-dmesg", "core", log], folder)
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else output
    return f"{MARK}--dump-dmesg\n{text}"


def ask_vmcore_dmesg(tools, _configuration, _vmcoreinfo, folder):
    return f"{MARK}log\n" + run([tools.vmcore_dmesg, "core"], folder)


READERS = [
    Reader("crash", CRASH, ask_crash),
    Reader("drgn", DRGN, ask_new_drgn, architectures=("aarch64", "x86_64", "riscv64")),
    # On x86_64 it knows the unwinding tables (ORC) of Linux 6.3 and older alone.
    Reader("drgn of bookworm", DRGN, ask_old_drgn, architectures=("aarch64",)),
    Reader("drgn-crash", OBJECTS, ask_drgn_crash, of_more=True, architectures=("aarch64",)),
    Reader("gdb-multiarch", GDB, ask_gdb, architectures=("aarch64", "x86_64", "riscv64")),
    Reader("lldb", LLDB, ask_lldb, architectures=("aarch64",)),
    Reader("makedumpfile", MAKEDUMPFILE, ask_makedumpfile),
    Reader("vmcore-dmesg", VMCORE_DMESG, ask_vmcore_dmesg),
]
