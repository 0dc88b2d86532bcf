/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The C interface of the controller, the only part of hw/ that a QEMU device
 * model uses.
 *
 * Calls on one controller must not overlap; QEMU's big lock ensures that. No call
 * throws or exits: if the host is out of memory, a call does what it can without
 * and reports the failure if it returns an error text.
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

/* Takes a piece of the CPU notes. `sink`: the argument of kmd_host_ops.cpu_notes. */
/* NOLINTNEXTLINE(modernize-use-using): C */
typedef void kmd_note_sink(void* sink, const void* bytes, size_t size);

/* A system register of a CPU, named as in the emulator's migration state. */
struct kmd_cpu_register {
    /* Name of the field, for example "env.satp"; NULL: `number` names the register. */
    const char* field;
    /* Id of the register in Linux's KVM interface (KVM_REG_ARM64_SYSREG). */
    uint64_t number;
    uint64_t value;
    uint8_t known;
};

/* The guest's CPUs in terms of <elf.h>: EM_*, ELFCLASS*, ELFDATA*. */
struct kmd_machine {
    uint16_t elf_machine;
    uint8_t elf_class;
    uint8_t elf_data;
};

/* Functions that the emulator implements; `host` is the argument of kmd_create(). */
struct kmd_host_ops {
    /*
     * Finds the longest run of guest RAM, at most `size` bytes, that starts at
     * guest-physical address `phys` and is contiguous in host memory. Returns
     * its length in bytes and sets *bytes, or returns 0 if there is no RAM. The
     * memory stays valid until the call into the controller returns.
     */
    uint64_t (*map_ram)(void* host, uint64_t phys, uint64_t size, const void** bytes);

    /*
     * Sets *start to the first guest-physical address of RAM at or after `phys`. Returns
     * 0 if there is none.
     */
    int (*next_ram)(void* host, uint64_t phys, uint64_t* start);

    /*
     * Fills in the current machine; leaves *machine, which is all zeros,
     * unchanged if there is no CPU. kmd_create() calls it too.
     */
    void (*machine)(void* host, struct kmd_machine* machine);

    /* Passes the ELF notes of all CPUs to `put`, in CPU order. */
    void (*cpu_notes)(void* host, kmd_note_sink* put, void* sink);

    /*
     * Fills in `value` and `known` of `count` registers of CPU number `cpu`;
     * leaves them unchanged if there is no such CPU. All CPUs are stopped.
     */
    void (*cpu_registers)(void* host, unsigned cpu, struct kmd_cpu_register* registers, size_t count);

    /* Stops all CPUs soon, then calls kmd_take_dump(). */
    void (*schedule_dump)(void* host);

    /* Messages without prefix or newline; valid only during the call. */
    void (*log_guest_error)(void* host, const char* message);
    void (*report)(void* host, const char* message);
    void (*warn)(void* host, const char* message);
    void (*trace)(void* host, const char* message);

    /* An attempt ended. `bytes`: size of the file; `error` is NULL if it is complete. */
    void (*dump_done)(void* host, uint64_t bytes, const char* error);

    /*
     * Writes to the chardev as many bytes as it accepts at once; never waits.
     * Returns how many, or -1 if nobody is connected.
     */
    int64_t (*send)(void* host, const void* bytes, size_t size);
    /* Ends the connection; returns 0 if the chardev has none. */
    int (*disconnect)(void* host);
};

/* QEMU's properties own their strings, which are not const. */
#ifdef __cplusplus
using kmd_string = const char*;
#else
typedef char* kmd_string;
#endif

/*
 * The configuration, for a device to embed; kmd::Config documents each member.
 * The defaults are in hw/controller/defaults.h and hw/output/defaults.h.
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
    bool pci;
    /* Strings are copied; NULL means the default, or that the property is not set. */
    kmd_string output;
    kmd_string name;
    kmd_string file;
    kmd_string compress;
    kmd_string format;
    kmd_string capture;
    kmd_string linux_capture;
    kmd_string types;
    const char* chardev;
    const char* plugin_version;
    const char* qemu_version;
};

/*
 * Creates a controller; the caller owns it and calls kmd_destroy(). `ops` and
 * `host` outlive it. On failure returns NULL and sets *error to a sentence for the
 * user, which the caller releases with free().
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
 * Whether the guest has to stay stopped (pause) because of an attempt to take a
 * dump since the last call.
 */
int kmd_wants_pause(struct kmd_controller* controller);

/* Takes the dump that schedule_dump() asked for. All CPUs are stopped. */
void kmd_take_dump(struct kmd_controller* controller);

/*
 * An event that ends what the guest was doing: takes a dump if one is wanted and
 * this incident has none yet. All CPUs are stopped; registers and RAM still have
 * the guest's contents.
 */
void kmd_machine_event(struct kmd_controller* controller, enum kmd_machine_event event);

/*
 * Of all controllers of the machine, lets one look after a kernel that registers nothing.
 * Call it before kmd_machine_event() and kmd_poll().
 */
void kmd_choose(struct kmd_controller* const* controllers, size_t count);

/*
 * Looks whether the guest's kernel has panicked without telling. Call it about once a second
 * while the guest runs.
 */
void kmd_poll(struct kmd_controller* controller);

/*
 * Takes a dump for the user. `reason`: "host" or "hang". All CPUs are stopped.
 * Returns NULL, or a sentence that says why there is no complete dump; the caller
 * releases it with free().
 */
char* kmd_request_dump(struct kmd_controller* controller, const char* reason);

/*
 * The state for a snapshot or a migration. kmd_state_size() returns its size in
 * bytes, which depends only on the number of slots, or 0 if the host is out of
 * memory. The other two return NULL, or a sentence that says what is wrong; the
 * caller releases it with free().
 */
size_t kmd_state_size(const struct kmd_controller* controller);
char* kmd_save_state(const struct kmd_controller* controller, void* bytes);
char* kmd_load_state(struct kmd_controller* controller, const void* bytes, size_t size);

/* Values that a user can read; kmd::Controller documents each. */
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
/* The caller releases the text with free(). NULL if the host is out of memory. */
char* kmd_get_text(const struct kmd_controller* controller, enum kmd_text which);

void kmd_set_trace(struct kmd_controller* controller, uint8_t on);

/* Machine reset and the end of the machine. Call them after kmd_machine_event(). */
void kmd_reset(struct kmd_controller* controller);
void kmd_shut_down(struct kmd_controller* controller);

#ifdef __cplusplus
}
#endif

#endif
