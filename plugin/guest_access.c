/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest_access.h"

#include "cpu_registers.h"

static bool is_plain_ram(const MemoryRegionSection *section)
{
    return memory_region_is_ram(section->mr) && !section->readonly &&
           !memory_region_is_rom(section->mr) &&
           !memory_region_is_ram_device(section->mr);
}

uint64_t kmemdump_md_map_ram(void *host, uint64_t phys, uint64_t size,
                             const void **bytes)
{
    MemoryRegionSection section;
    uint64_t length = 0;

    section = memory_region_find(get_system_memory(), phys, size);
    if (!section.mr) {
        return 0;
    }
    if (section.offset_within_address_space == phys && is_plain_ram(&section)) {
        *bytes = (const char *)memory_region_get_ram_ptr(section.mr) +
                 section.offset_within_region;
        length = int128_get64(section.size);
    }
    /* The big lock, which the caller holds, keeps the memory in place. */
    memory_region_unref(section.mr);
    return length;
}

int kmemdump_md_next_ram(void *host, uint64_t phys, uint64_t *start)
{
    for (;;) {
        MemoryRegionSection section;
        uint64_t begin, end;
        bool found;

        section =
            memory_region_find(get_system_memory(), phys, UINT64_MAX - phys);
        if (!section.mr) {
            return 0;
        }
        begin = section.offset_within_address_space;
        end = begin + int128_get64(section.size);
        found = is_plain_ram(&section);
        memory_region_unref(section.mr);
        if (found) {
            *start = begin;
            return 1;
        }
        /* The end of the address space. */
        if (end <= phys) {
            return 0;
        }
        phys = end;
    }
}

void kmemdump_md_machine(void *host, struct kmd_machine *machine)
{
    ArchDumpInfo info = {};
    GuestPhysBlockList none = {};

    QTAILQ_INIT(&none.head);
    if (cpu_get_dump_info(&info, &none) != 0) {
        return;
    }
    machine->elf_machine = info.d_machine;
    machine->elf_class = info.d_class;
    machine->elf_data = info.d_endian;
    /* QEMU answers for the mode that an x86 CPU is in, its type for the CPU. */
    if (info.d_machine == EM_386 &&
        object_dynamic_cast(OBJECT(first_cpu), "x86_64-cpu")) {
        machine->elf_machine = EM_X86_64;
        machine->elf_class = ELFCLASS64;
    }
}

/* QEMU's note writers take their byte order from a DumpState. */
typedef struct NoteSink {
    DumpState state;
    kmd_note_sink *put;
    void *sink;
} NoteSink;

static int put_note(const void *bytes, size_t size, void *opaque)
{
    NoteSink *to = container_of(opaque, NoteSink, state);

    to->put(to->sink, bytes, size);
    return 0;
}

void kmemdump_md_cpu_notes(void *host, kmd_note_sink *put, void *sink)
{
    const unsigned max_cpus = MACHINE(qdev_get_machine())->smp.max_cpus;
    NoteSink to = {.put = put, .sink = sink};

    to.state.dump_info.d_endian = ELFDATA2LSB;
    cpu_synchronize_all_states();
    for (unsigned i = 0; i < max_cpus; i++) {
        CPUState *cpu = qemu_get_cpu(i);

        if (cpu) {
            /* Readers expect the id of CPU i to be i + 1. */
            cpu_write_elf64_note(put_note, cpu, i + 1, &to.state);
        }
    }
}

void kmemdump_md_cpu_registers(void *host, unsigned cpu,
                               struct kmd_cpu_register *registers, size_t count)
{
    CPUState *state = qemu_get_cpu(cpu);

    if (state) {
        kmemdump_md_read_registers(state, registers, count);
    }
}
