# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that crashes and stands still, its dump, and QEMU's own dump of the same moment."""

import json
import pathlib
import socket
import subprocess
import time
import typing


def title(kernel, cpu, cpus, driver=True, more=False):
    return f"{kernel}, {cpu}, {cpus} CPUs" + ("" if driver else ", no driver") + (", capture=more" if more else "")


class Configuration(typing.NamedTuple):
    kernel: str  # as people call it: "stock 6.12"
    folder: pathlib.Path  # that fetch-kernel or build-kernel printed
    guest: pathlib.Path  # that build-guest printed
    cpu: str  # a CPU of QEMU
    cpus: int
    driver: bool = True  # whether the guest loads our modules
    more: bool = False  # whether the dump has files, mounts and other objects

    @classmethod
    def of(cls, kernel, cpu, cpus, driver=True, more=False):
        """One without its folders yet."""
        return cls(kernel, pathlib.Path(), pathlib.Path(), cpu, cpus, driver, more)

    @property
    def architecture(self):
        first = self.kernel.split()[0]
        return first if first in MACHINES else "aarch64"

    @property
    def title(self):
        return title(self.kernel, self.cpu, self.cpus, self.driver, self.more)

    @property
    def vmlinux(self):
        return self.folder / "vmlinux"

    @property
    def modules(self):
        """The folder with our modules; None when they are built in."""
        return self.guest / "modules" if self.driver and not (self.folder / "builtin").exists() else None


class Qmp:
    """QEMU's monitor protocol."""

    def __init__(self, path, qemu, seconds):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(seconds)
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                if qemu.poll() is not None:
                    raise RuntimeError("QEMU ended at once") from None
                if time.monotonic() > deadline:
                    raise RuntimeError("QEMU does not open its QMP socket") from None
                time.sleep(0.05)
        self._lines = self._socket.makefile("r")
        self._events = []
        self._receive()
        self.execute("qmp_capabilities")

    def _receive(self):
        line = self._lines.readline()
        if not line:
            raise RuntimeError("QEMU ended")
        return json.loads(line)

    def execute(self, command, **arguments):
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = self._receive()
            if "event" in answer:
                self._events.append(answer["event"])
            elif "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            else:
                return answer["return"]

    def wait_event(self, name):
        while name not in self._events:
            answer = self._receive()
            if "event" in answer:
                self._events.append(answer["event"])


BUILD = pathlib.Path(__file__).resolve().parent.parent.parent / "build"
# PAC in an algorithm of QEMU's own: the architected one makes a guest three times slower.
CPU_OPTIONS = {("aarch64", "max"): "max,pauth-impdef=on"}


# A disk and a network card, which leave something to look at.
DEVICES = ["-nic", "user,model=virtio-net-pci", "-drive", "driver=null-co,read-zeroes=on,size=64M,if=none,id=disk",
           "-device", "nvme,drive=disk,serial=1"]


# The machine, its serial port, and the device that is the controller.
MACHINES = {"aarch64": ("virt", "ttyAMA0", "kmemdump-md"), "x86_64": ("q35", "ttyS0", "kmemdump-md-pci"),
            "riscv64": ("virt", "ttyS0", "kmemdump-md-pci")}


def crash(configuration, folder, command_line="", kdump=False):
    """Crashes a guest with its console log and messages in a folder, and returns the paths of our dump
    and of QEMU's. With `kdump`, QEMU's dump in the format kdump-zlib is "qemu.kdump" beside them."""
    # Without a driver the controller notices a panic only while the machine stands still.
    command_line += " panic=-1" if configuration.driver else " panic=0 kmd.load=none"
    machine, console, device = MACHINES[configuration.architecture]
    command = [f"qemu-system-{configuration.architecture}", "-M", machine, "-cpu", CPU_OPTIONS.get((configuration.architecture, configuration.cpu), configuration.cpu),
               "-smp", str(configuration.cpus), "-m", "256M", "-display", "none", "-no-reboot",
               *(DEVICES if configuration.more else ["-nic", "none"]),
               "-monitor", "none", "-serial", f"file:{folder / 'console.log'}",
               "-qmp", f"unix:{folder / 'qmp.sock'},server=on,wait=off",
               "-kernel", str(configuration.folder / "vmlinuz"), "-initrd", str(configuration.guest / "initrd.gz"),
               "-append", f"console={console} {command_line}",
               "-plugin", str(BUILD / "plugin" / "kmemdump-md.so"), "-device", f"{device},output={folder},pause=on" +
               (",capture=regions+cpus+stacks+tables+more" if configuration.more else "")]
    with open(folder / "qemu.log", "w", encoding="utf-8") as log, \
            subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL) as qemu:
        try:
            qmp = Qmp(folder / "qmp.sock", qemu, 300)
            qmp.wait_event("STOP")
            full = folder / "qemu.core"
            qmp.execute("dump-guest-memory", paging=False, protocol=f"file:{full}")
            if kdump:
                qmp.execute("dump-guest-memory", paging=False, protocol=f"file:{folder / 'qemu.kdump'}", format="kdump-zlib")
        finally:
            qemu.kill()
    dumps = list(folder.glob("kmemdump-*.elf"))
    if len(dumps) != 1:
        raise RuntimeError(f"there are {len(dumps)} dumps, expected one")
    return dumps[0], full
