/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No header that is the same for all targets says where a CPU keeps its system
 * registers. Its migration state does: a list of fields with names and offsets.
 * AArch64 has there an array of register numbers and one of values, which are
 * up to date after pre_save.
 */
#include "cpu_registers.h"

static const VMStateField *find_field(const VMStateDescription *state,
                                      const char *name)
{
    for (const VMStateField *field = state->fields; field && field->name;
         field++) {
        if (g_str_equal(field->name, name)) {
            return field;
        }
    }
    return NULL;
}

static const void *field_at(CPUState *cpu, const VMStateField *field)
{
    const char *address = (const char *)cpu + field->offset;

    return field->flags & VMS_POINTER ? *(const void *const *)address : address;
}

/* A single register of 64 bits. */
static void read_field(CPUState *cpu, const VMStateDescription *state,
                       struct kmd_cpu_register *wanted)
{
    const VMStateField *field = find_field(state, wanted->field);

    if (field && field->size == sizeof(uint64_t) &&
        (field->flags & (VMS_SINGLE | VMS_POINTER)) == VMS_SINGLE) {
        memcpy(&wanted->value, field_at(cpu, field), sizeof(wanted->value));
        wanted->known = true;
    }
}

static void read_numbered(CPUState *cpu, const VMStateDescription *state,
                          struct kmd_cpu_register *registers, size_t count)
{
    const VMStateField *length = find_field(state, "cpreg_vmstate_array_len");
    const VMStateField *numbers = find_field(state, "cpreg_vmstate_indexes");
    const VMStateField *values = find_field(state, "cpreg_vmstate_values");
    const uint64_t *number, *value;
    int32_t entries;

    if (!length || !numbers || !values || length->size != sizeof(entries) ||
        numbers->size != sizeof(*number) || values->size != sizeof(*value)) {
        return;
    }
    memcpy(&entries, field_at(cpu, length), sizeof(entries));
    number = field_at(cpu, numbers);
    value = field_at(cpu, values);
    for (int32_t i = 0; i < entries; i++) {
        for (size_t r = 0; r < count; r++) {
            if (!registers[r].field && registers[r].number == number[i]) {
                registers[r].value = value[i];
                registers[r].known = true;
            }
        }
    }
}

static void read_state(CPUState *cpu, const VMStateDescription *state,
                       struct kmd_cpu_register *registers, size_t count)
{
    if (state->pre_save && state->pre_save(cpu) != 0) {
        return;
    }
    read_numbered(cpu, state, registers, count);
    for (size_t r = 0; r < count; r++) {
        if (registers[r].field) {
            read_field(cpu, state, &registers[r]);
        }
    }
    if (state->post_save) {
        state->post_save(cpu);
    }
}

void kmemdump_md_read_registers(CPUState *cpu,
                                struct kmd_cpu_register *registers,
                                size_t count)
{
    const VMStateDescription *state = kmd_cpu_state_description(cpu);

    for (size_t r = 0; r < count; r++) {
        registers[r].value = 0;
        registers[r].known = false;
    }
    if (state) {
        read_state(cpu, state, registers, count);
    }
}
