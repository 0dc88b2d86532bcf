/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binds the controller of hw/ to a QEMU machine. It translates and decides
 * nothing that could be decided without QEMU.
 */
#include "qemu_compat.h"

#include "guest_access.h"
#include "kmemdump_md_device.h"
#include "runtime_properties.h"
#include "triggers.h"

/* All controllers: with several, a message says which one it is about. */
static GSList *controllers;

KmemdumpMd *kmemdump_md_of(Object *device)
{
    return object_dynamic_cast(device, TYPE_KMEMDUMP_MD_PCI)
               ? &KMEMDUMP_MD_PCI(device)->md
               : &KMEMDUMP_MD(device)->md;
}

static void schedule_dump(void *host)
{
    kmemdump_md_schedule_dumps();
}

/* Messages */

static void log_guest_error(void *host, const char *message)
{
    qemu_log_mask(LOG_GUEST_ERROR, "kmemdump-md: %s\n", message);
}

/* The name of a controller in a message; the caller frees it with g_free(). */
static char *name_of(KmemdumpMd *s)
{
    bool alone = true;

    for (GSList *item = controllers; item; item = item->next) {
        alone = alone && item->data == s;
    }
    if (alone) {
        return g_strdup(TYPE_KMEMDUMP_MD);
    }
    return s->device->id
               ? g_strdup_printf(TYPE_KMEMDUMP_MD " '%s'", s->device->id)
               : g_strdup(s->unit);
}

static void report(void *host, const char *message)
{
    g_autofree char *name = name_of(host);

    info_report("%s: %s", name, message);
}

static void warn(void *host, const char *message)
{
    g_autofree char *name = name_of(host);

    warn_report("%s: %s", name, message);
}

static void trace(void *host, const char *message)
{
    KmemdumpMd *s = host;

    qemu_log("%s: %s\n", s->unit, message);
}

/*
 * Of QEMU's events DUMP_COMPLETED alone has the fields that a dump needs. Some
 * management programs do not survive one that they did not ask for.
 */
static void dump_done(void *host, uint64_t bytes, const char *error)
{
    KmemdumpMd *s = host;
    DumpQueryResult result = {
        .status = error ? DUMP_STATUS_FAILED : DUMP_STATUS_COMPLETED,
        .completed = bytes,
        .total = bytes,
    };

    if (s->event) {
        kmd_send_dump_completed(&result, error);
    }
}

/* The chardev that dumps are sent to */

static int64_t send_bytes(void *host, const void *bytes, size_t size)
{
    KmemdumpMd *s = host;
    int sent;

    if (!qemu_chr_fe_backend_open(&s->chardev)) {
        return -1;
    }
    sent = qemu_chr_fe_write(&s->chardev, bytes, MIN(size, INT_MAX));
    if (!qemu_chr_fe_backend_open(&s->chardev) ||
        (sent < 0 && errno != EAGAIN)) {
        return -1;
    }
    return MAX(sent, 0);
}

static int disconnect(void *host)
{
    KmemdumpMd *s = host;

    qemu_chr_fe_disconnect(&s->chardev);
    return !qemu_chr_fe_backend_open(&s->chardev);
}

static const struct kmd_host_ops host_ops = {
    .map_ram = kmemdump_md_map_ram,
    .next_ram = kmemdump_md_next_ram,
    .machine = kmemdump_md_machine,
    .cpu_notes = kmemdump_md_cpu_notes,
    .cpu_registers = kmemdump_md_cpu_registers,
    .schedule_dump = schedule_dump,
    .log_guest_error = log_guest_error,
    .report = report,
    .warn = warn,
    .trace = trace,
    .dump_done = dump_done,
    .send = send_bytes,
    .disconnect = disconnect,
};

/* The MMIO window: every access reaches the controller, which judges it. */

static uint64_t mmio_read(void *opaque, hwaddr offset, unsigned size)
{
    KmemdumpMd *s = opaque;

    return kmd_read(s->controller, offset, size);
}

static void mmio_write(void *opaque, hwaddr offset, uint64_t value,
                       unsigned size)
{
    KmemdumpMd *s = opaque;

    kmd_write(s->controller, offset, value, size);
}

static const MemoryRegionOps mmio_ops = {
    .read = mmio_read,
    .write = mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 8, .unaligned = true},
    .impl = {.min_access_size = 1, .max_access_size = 8, .unaligned = true},
};

/* Life */

static void reset(void *opaque)
{
    KmemdumpMd *s = opaque;

    kmd_reset(s->controller);
}

bool kmemdump_md_realize(KmemdumpMd *s, DeviceState *device, const char *unit,
                         bool pci, Error **errp)
{
    Chardev *chardev = qemu_chr_fe_get_driver(&s->chardev);
    char *error = NULL;
    uint64_t size;

    if (replay_mode != REPLAY_MODE_NONE) {
        error_setg(errp,
                   "a controller cannot be recorded or replayed: when the host "
                   "takes a dump, and for how long, is not the same twice; "
                   "leave out either rr= of -icount or the device");
        return false;
    }
    s->device = device;
    g_free(s->unit);
    s->unit = g_strdup(unit);
    s->config.chardev = chardev ? chardev->label : NULL;
    s->config.pci = pci;
    s->config.plugin_version = KMD_PLUGIN_VERSION;
    s->config.qemu_version = QEMU_VERSION;
    s->controller = kmd_create(&s->config, &host_ops, s, &error);
    if (!s->controller) {
        error_setg(errp, "%s", error);
        free(error);
        return false;
    }
    kmd_set_trace(s->controller, s->trace);
    s->state_size = kmd_state_size(s->controller);
    g_assert(s->state_size > 0);
    s->state = g_malloc(s->state_size);

    size = kmd_window_size(s->controller);
    memory_region_init_io(&s->mmio, OBJECT(device), &mmio_ops, s,
                          TYPE_KMEMDUMP_MD, pci ? pow2ceil(size) : size);
    qemu_register_reset(reset, s);
    controllers = g_slist_append(controllers, s);
    kmemdump_md_add_controller(s->controller);
    return true;
}

void kmemdump_md_unrealize(KmemdumpMd *s)
{
    kmemdump_md_remove_controller(s->controller);
    controllers = g_slist_remove(controllers, s);
    qemu_unregister_reset(reset, s);
}

void kmemdump_md_finalize(KmemdumpMd *s)
{
    if (s->controller) {
        kmd_destroy(s->controller);
    }
    g_free(s->state);
    g_free(s->unit);
}

void kmemdump_md_class_init(ObjectClass *klass)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "minidump controller";
    kmemdump_md_add_runtime_properties(klass);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

/* Snapshots and migration */

static int pre_save(void *opaque)
{
    KmemdumpMd *s = opaque;
    char *error = kmd_save_state(s->controller, s->state);

    s->saved_slots = s->config.slots;
    if (error) {
        error_report("kmemdump-md: the state cannot be saved: %s", error);
        free(error);
        return -ENOMEM;
    }
    return 0;
}

/* Before the bytes of the table are read into memory of this size. */
static bool has_as_many_slots(void *opaque, int version)
{
    KmemdumpMd *s = opaque;

    if (s->saved_slots == s->config.slots) {
        return true;
    }
    error_report("kmemdump-md: the incoming state has %" PRIu64
                 " slots, this controller has %" PRIu64
                 ": give it slots=%" PRIu64,
                 s->saved_slots, s->config.slots, s->saved_slots);
    return false;
}

static int post_load(void *opaque, int version)
{
    KmemdumpMd *s = opaque;
    char *error = kmd_load_state(s->controller, s->state, s->state_size);

    if (error) {
        error_report("kmemdump-md: the incoming state cannot be used: %s",
                     error);
        free(error);
        return -EINVAL;
    }
    return 0;
}

const VMStateDescription kmemdump_md_vmstate = {
    .name = TYPE_KMEMDUMP_MD,
    .version_id = 3,
    .minimum_version_id = 3,
    .pre_save = pre_save,
    .post_load = post_load,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT64(saved_slots, KmemdumpMd),
            VMSTATE_VALIDATE("as many slots on both sides", has_as_many_slots),
            VMSTATE_VBUFFER_UINT32(state, KmemdumpMd, 1, NULL, state_size),
            VMSTATE_END_OF_LIST(),
        },
};
