/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller for C: all that a QEMU device model sees of hw/.
 *
 * The calls on one controller must not overlap; QEMU's big lock sees to that.
 * No call throws or exits: one that finds the host out of memory does what can be
 * done without, and where it has a sentence to return says so.
 */
#ifndef KMEMDUMP_MD_H
#define KMEMDUMP_MD_H

#include "hw/controller/machine_event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kmd_controller;

/* Takes a piece of the CPU notes. `sink` is what kmd_host_ops.cpu_notes got. */
/* NOLINTNEXTLINE(modernize-use-using): C */
typedef void kmd_note_sink(void* sink, const void* bytes, size_t size);

/* A system register of a CPU, named the way the emulator's migration state does. */
struct kmd_cpu_register {
    /* Name of the field, for example "env.satp"; NULL: the register has a number. */
    const char* field;
    /* Id of the register in Linux's KVM interface (KVM_REG_ARM64_SYSREG). */
    uint64_t number;
    uint64_t value;
    uint8_t known;
};

/* The guest's CPUs as elf.h has them: EM_*, ELFCLASS*, ELFDATA*. */
struct kmd_machine {
    uint16_t elf_machine;
    uint8_t elf_class;
    uint8_t elf_data;
};

/* What the controller needs of the emulator; `host` is kmd_create()'s. */
struct kmd_host_ops {
    /*
     * Longest run of guest RAM, at most `size` bytes, that starts at
     * guest-physical address `phys` and is contiguous in host memory. Returns
     * its length in bytes and sets *bytes, or returns 0 where there is no RAM.
     * It stays valid until the call into the controller returns.
     */
    uint64_t (*map_ram)(void* host, uint64_t phys, uint64_t size, const void** bytes);

    /*
     * What the CPUs are now; leaves *machine, which is zeros, alone when there
     * is no CPU. Called by kmd_create() as well, when a CPU of x86_64 still is
     * one of 32 bits.
     */
    void (*machine)(void* host, struct kmd_machine* machine);

    /* Hands the ELF notes of every CPU to `put`, in CPU order. */
    void (*cpu_notes)(void* host, kmd_note_sink* put, void* sink);

    /*
     * Fills in `value` and `known` of `count` registers of CPU number `cpu`, as
     * they are now; leaves them alone when there is no such CPU. All CPUs are
     * stopped.
     */
    void (*cpu_registers)(void* host, unsigned cpu, struct kmd_cpu_register* registers, size_t count);

    /* Stop all CPUs soon, then call kmd_take_dump(). */
    void (*schedule_dump)(void* host);

    /* Messages without prefix or newline; valid during the call only. */
    void (*log_guest_error)(void* host, const char* message);
    void (*report)(void* host, const char* message);
    void (*warn)(void* host, const char* message);
    void (*trace)(void* host, const char* message);

    /* An attempt is over: bytes in the file; error is NULL when it is whole. */
    void (*dump_done)(void* host, uint64_t bytes, const char* error);

    /*
     * The chardev, if there is one: hands over as many bytes as are taken at
     * once and never waits. Returns how many, or -1 when nobody is connected.
     */
    int64_t (*send)(void* host, const void* bytes, size_t size);
    /* Ends the connection; returns 0 when the chardev has none to end. */
    int (*disconnect)(void* host);
};

/* QEMU's properties own their strings, and are not const. */
#ifdef __cplusplus
using kmd_string = const char*;
#else
typedef char* kmd_string;
#endif

/*
 * kmd::Config, which documents each member, for a device to embed. The defaults
 * are in hw/controller/defaults.h and hw/output/defaults.h.
 */
struct kmd_config {
    uint64_t slots;
    uint64_t max_regions;
    uint64_t max_dumps;
    uint64_t max_bytes;
    uint64_t keep;
    uint64_t chardev_timeout_ms;
    uint64_t inject_refuse;
    uint64_t inject_full;
    uint64_t inject_write_fail;
    uint64_t inject_write_cut;
    uint64_t inject_stop;
    bool on_reset;
    bool on_shutdown;
    bool on_quit;
    bool pause;
    bool sidecar;
    /* Strings are copied; NULL is the default, or that it is not given. */
    kmd_string output;
    kmd_string name;
    kmd_string file;
    kmd_string compress;
    kmd_string format;
    kmd_string capture;
    const char* chardev;
    const char* plugin_version;
    const char* qemu_version;
};

/*
 * A new controller, owned by the caller until kmd_destroy(); `ops` and `host`
 * outlive it. Returns NULL when a property is wrong; *error is then a sentence
 * for the user that the caller releases with free().
 */
struct kmd_controller* kmd_create(const struct kmd_config* config, const struct kmd_host_ops* ops, void* host,
                                  char** error);
void kmd_destroy(struct kmd_controller* controller);

/* Size of the MMIO window in bytes. */
uint64_t kmd_window_size(const struct kmd_controller* controller);

/* A guest access; offset and size in bytes, any value is safe. */
uint64_t kmd_read(struct kmd_controller* controller, uint64_t offset, unsigned size);
void kmd_write(struct kmd_controller* controller, uint64_t offset, uint64_t value, unsigned size);

/*
 * Whether the guest is to stay stopped (pause) for an attempt to take a dump
 * since the last call.
 */
int kmd_wants_pause(struct kmd_controller* controller);

/* Takes the dump that schedule_dump() asked for. All CPUs are stopped. */
void kmd_take_dump(struct kmd_controller* controller);

/*
 * Something that ends what the guest was doing: takes a dump if one is wanted
 * and this incident has none yet. All CPUs are stopped, registers and RAM are
 * still the guest's.
 */
void kmd_machine_event(struct kmd_controller* controller, enum kmd_machine_event event);

/*
 * The person at the host wants a dump now. `reason`: "host" or "hang". All CPUs
 * are stopped. Returns NULL, or why there is no dump: a sentence that the
 * caller releases with free().
 */
char* kmd_request_dump(struct kmd_controller* controller, const char* reason);

/*
 * The state for a snapshot or another host: kmd_state_size() bytes, the same
 * for every controller with as many slots, or 0 when the host is out of memory.
 * The other two return NULL, or what is wrong: a sentence that the caller
 * releases with free().
 */
size_t kmd_state_size(const struct kmd_controller* controller);
char* kmd_save_state(const struct kmd_controller* controller, void* bytes);
char* kmd_load_state(struct kmd_controller* controller, const void* bytes, size_t size);

/* What a person can ask; kmd::Controller documents each. */
enum kmd_number {
    KMD_NUMBER_DUMPS,
    KMD_NUMBER_LAST_BYTES,
    KMD_NUMBER_LAST_NANOSECONDS,
};

enum kmd_text {
    KMD_TEXT_STATE,
    KMD_TEXT_LAST_FILE,
    KMD_TEXT_LAST_ERROR,
    KMD_TEXT_REGIONS,
};

uint64_t kmd_get_number(const struct kmd_controller* controller, enum kmd_number which);
/* The caller releases the text with free(). NULL: the host is out of memory. */
char* kmd_get_text(const struct kmd_controller* controller, enum kmd_text which);

void kmd_set_trace(struct kmd_controller* controller, uint8_t on);

/* Machine reset, and the end of the machine, after their events. */
void kmd_reset(struct kmd_controller* controller);
void kmd_shut_down(struct kmd_controller* controller);

#ifdef __cplusplus
}
#endif

#endif
