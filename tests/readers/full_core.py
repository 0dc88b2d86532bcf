# SPDX-License-Identifier: GPL-2.0-or-later
"""All of a guest's RAM as a core image that every reader can open.

QEMU's dump-guest-memory knows physical addresses alone, and no vmcoreinfo unless a driver of the guest
told it. Here the same bytes get the virtual addresses that the guest's own page tables give them (Arm
Architecture Reference Manual, D8.3: 4 KiB granule), and the note that the kernel keeps in its memory."""

import mmap
import re
import struct
import typing

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
PT_LOAD, PT_NOTE = 1, 4
SHDR_SIZE = 64
PAGE = 4096


class Segment(typing.NamedTuple):
    virt: int
    phys: int
    size: int


class Memory:
    """A guest's RAM in a dump of QEMU's."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        header = EHDR.unpack_from(self.bytes)
        self.machine = header[2]
        headers = [PHDR.unpack_from(self.bytes, header[5] + i * PHDR.size) for i in range(header[10])]
        loads = [h for h in headers if h[0] == PT_LOAD]
        # QEMU takes the notes of all CPUs to be as long as the first one's, which they are not when their
        # SVE vectors differ: what follows, to the end of the last section, is not where the headers say.
        ends = [sum(struct.unpack_from("<QQ", self.bytes, header[6] + i * SHDR_SIZE + 24)) for i in range(header[12])]
        moved = len(self.bytes) - max(ends) if ends else 0
        self.loads = [(h[4], h[2] + moved, h[5]) for h in loads]  # physical, offset, size
        note = next(h for h in headers if h[0] == PT_NOTE)
        self.notes = self.bytes[note[2]:min(offset for _, offset, _ in self.loads)]

    def offset(self, phys):
        """Where a physical address is in the file; None when it is not RAM."""
        for start, offset, size in self.loads:
            if start <= phys < start + size:
                return offset + phys - start
        return None

    @staticmethod
    def is_firmware(phys):
        """Whether it is behind the RAM of a guest of ours on x86-64: the screen and the firmware."""
        return phys >= 1 << 31

    def vmcoreinfo(self):
        """The kernel's ELF note, as it stands in RAM."""
        found = {bytes(match[0]) + self.bytes[match.end():match.end() + struct.unpack("<I", match[1])[0]]
                 for match in re.finditer(rb"\x0b\0\0\0(..\0\0)\0\0\0\0VMCOREINFO\0\0(?=OSRELEASE=)", self.bytes, re.S)}
        if len(found) != 1:
            raise RuntimeError(f"the guest's RAM has {len(found)} vmcoreinfo notes, expected one")
        note = found.pop()
        return note + b"\0" * (-len(note) % 4)


def parse_vmcoreinfo(note):
    """KEY=VALUE lines as a dictionary."""
    text = note[24:].rstrip(b"\0").decode()
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def leaf_of_x86_64(entry, level):
    """Whether an entry maps memory rather than leads to a table, and the physical address in it (Intel's manual, volume 3,
    chapter Paging)."""
    is_leaf = level == 0 or level <= 2 and entry & 0x80
    return is_leaf, entry & 0x000F_FFFF_FFFF_F000 & (-(1 << 12 + 9 * level) if is_leaf else -1)


def leaf_of_riscv64(entry, _level):
    """The same of RISC-V (The RISC-V Instruction Set Manual, Volume II, Sv39 to Sv57)."""
    return entry & 0b1110, (entry >> 10 & (1 << 44) - 1) << 12


def mappings_by_nine_bits(memory, root, levels, leaf_of):
    """(virtual, physical, size) of every mapping of RAM in the upper half, by tables of 512 entries whose bit 0 says that
    they are valid. `leaf_of` decodes one."""
    def walk(table, level, virt):
        shift = 12 + 9 * level
        offset = memory.offset(table)
        if offset is None:
            raise RuntimeError(f"a page table lies at {table:#x}, where there is no RAM")
        first = 256 if level == levels - 1 else 0
        for i, entry in enumerate(struct.unpack_from("<512Q", memory.bytes, offset)):
            if i < first or not entry & 1:
                continue
            is_leaf, phys = leaf_of(entry, level)
            here = virt + (i << shift)
            if not is_leaf:
                yield from walk(phys, level - 1, here)
            elif memory.offset(phys) is not None:
                yield here, phys, 1 << shift

    yield from walk(root, levels - 1, (1 << 64) - (1 << 12 + 9 * levels))


def mappings(memory, root, bits):
    """(virtual, physical, size) of every mapping of RAM, by a walk of the tables for the upper half of
    `bits` bits of address space, whose first table lies at the physical address `root`."""
    levels = (bits - 12 + 8) // 9

    def walk(table, level, virt):
        shift = 12 + 9 * level
        entries = 1 << min(9, bits - shift)
        offset = memory.offset(table)
        if offset is None:
            raise RuntimeError(f"a page table lies at {table:#x}, where there is no RAM")
        for i, entry in enumerate(struct.unpack_from(f"<{entries}Q", memory.bytes, offset)):
            if not entry & 1:
                continue
            phys = entry & 0x0000_FFFF_FFFF_F000
            here = virt + (i << shift)
            if level and entry & 2:
                yield from walk(phys, level - 1, here)
            elif memory.offset(phys & -(1 << shift)) is not None:
                yield here, phys & -(1 << shift), 1 << shift

    yield from walk(root, levels - 1, (1 << 64) - (1 << bits))


def kernel_mappings(memory, info):
    """All that the kernel sees of RAM, by its vmcoreinfo."""
    root = int(info["SYMBOL(swapper_pg_dir)"], 16)
    if "NUMBER(phys_base)" in info:
        distance = 0xFFFF_FFFF_8000_0000 - int(info["NUMBER(phys_base)"])
        return mappings_by_nine_bits(memory, root - distance, 5 if info.get("NUMBER(pgtable_l5_enabled)") == "1" else 4,
                                     leaf_of_x86_64)
    if "NUMBER(va_kernel_pa_offset)" in info:
        distance = int(info["NUMBER(va_kernel_pa_offset)"], 16)
        return mappings_by_nine_bits(memory, root - distance & (1 << 64) - 1, (int(info["NUMBER(VA_BITS)"]) - 12) // 9,
                                     leaf_of_riscv64)
    distance = int(info["NUMBER(kimage_voffset)"], 16)
    return mappings(memory, root - distance & (1 << 64) - 1, 64 - int(info["NUMBER(TCR_EL1_T1SZ)"], 16))


def segments(memory, note):
    """The RAM by its physical addresses as QEMU has it, then what the kernel sees of it."""
    info = parse_vmcoreinfo(note)
    result = [Segment(phys, phys, size) for phys, _, size in memory.loads]
    runs = []
    for virt, phys, size in kernel_mappings(memory, info):
        last = runs[-1] if runs else Segment(0, 0, 0)
        if last.size and last.virt + last.size == virt and last.phys + last.size == phys:
            runs[-1] = last._replace(size=last.size + size)
        else:
            runs.append(Segment(virt, phys, size))
    if "NUMBER(phys_base)" in info:
        # RAM is at low addresses, where those of programs are, and the kernel sees all of it. makedumpfile takes the
        # place of the linear map from the first segment.
        return runs + [segment for segment in result if memory.is_firmware(segment.phys)]
    return result + runs


def write(qemus, path):
    """Writes the core image made of a dump of QEMU's, and returns what vmcoreinfo says."""
    memory = Memory(qemus)
    note = memory.vmcoreinfo()
    notes = memory.notes + note
    loads = segments(memory, note)
    notes_at = EHDR.size + PHDR.size * (1 + len(loads))
    data_at = -(-(notes_at + len(notes)) // PAGE) * PAGE
    first = min(offset for _, offset, _ in memory.loads)
    with open(path, "wb") as file:
        # lldb wants it to be of Linux.
        ident = b"\x7fELF\x02\x01\x01\x03" + bytes(8)
        file.write(EHDR.pack(ident, 4, memory.machine, 1, 0, EHDR.size, 0, 0, EHDR.size, PHDR.size, 1 + len(loads), 0, 0, 0))
        file.write(PHDR.pack(PT_NOTE, 0, notes_at, 0, 0, len(notes), len(notes), 0))
        for load in loads:
            offset = data_at + memory.offset(load.phys) - first
            file.write(PHDR.pack(PT_LOAD, 7, offset, load.virt, load.phys, load.size, load.size, 0))
        file.write(notes)
        file.seek(data_at)
        file.write(memory.bytes[first:])
    return parse_vmcoreinfo(note)
