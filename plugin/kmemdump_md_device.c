/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QOM shell: binds the controller of hw/ to a QEMU machine. It translates
 * and decides nothing that could be decided without QEMU.
 */
#include "qemu_compat.h"

#include "common/kmemdump_md_regs.h"
#include "guest_access.h"
#include "hw/controller/defaults.h"
#include "hw/output/defaults.h"
#include "kmemdump_md_device.h"
#include "runtime_properties.h"
#include "triggers.h"

/*
 * Free in the memory map of the arm virt machine: behind the virtio-mmio
 * transports, ahead of the platform bus.
 */
#define DEFAULT_ADDR 0x0b000000

#define PAGE 4096

/* All devices: a message says which of several it is about. */
static GSList *devices;

static void schedule_dump(void *host)
{
    kmemdump_md_schedule_dumps();
}

/* Messages */

static void log_guest_error(void *host, const char *message)
{
    qemu_log_mask(LOG_GUEST_ERROR, "kmemdump-md: %s\n", message);
}

/* Which controller it is, when there are others; g_free() releases it. */
static char *name_of(KmemdumpMd *s)
{
    bool alone = true;

    for (GSList *item = devices; item; item = item->next) {
        alone = alone && item->data == s;
    }
    if (alone) {
        return g_strdup(TYPE_KMEMDUMP_MD);
    }
    return DEVICE(s)->id
               ? g_strdup_printf(TYPE_KMEMDUMP_MD " '%s'", DEVICE(s)->id)
               : g_strdup_printf(TYPE_KMEMDUMP_MD " at 0x%" PRIx64, s->addr);
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

    qemu_log("kmemdump-md@%" PRIx64 ": %s\n", s->addr, message);
}

/*
 * DUMP_COMPLETED is the one event of QEMU's that says what it has to. Not every
 * management program survives one that it did not ask for.
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
        qapi_event_send_dump_completed(&result, error != NULL, error);
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

/* The device tree node, before the board packs its tree. */

static void add_device_tree_node(Notifier *notifier, void *data)
{
    KmemdumpMd *s = container_of(notifier, KmemdumpMd, machine_done);
    void *fdt = MACHINE(qdev_get_machine())->fdt;
    g_autofree char *node = NULL;
    uint32_t address_cells, size_cells;

    if (!fdt) {
        return;
    }
    address_cells =
        qemu_fdt_getprop_cell(fdt, "/", "#address-cells", NULL, &error_fatal);
    size_cells =
        qemu_fdt_getprop_cell(fdt, "/", "#size-cells", NULL, &error_fatal);
    node = g_strdup_printf("/kmemdump-md@%" PRIx64, s->addr);
    qemu_fdt_add_subnode(fdt, node);
    qemu_fdt_setprop_string(fdt, node, "compatible", KMD_DT_COMPATIBLE);
    qemu_fdt_setprop_sized_cells(fdt, node, "reg", address_cells, s->addr,
                                 size_cells, memory_region_size(&s->mmio));
}

/* Life */

static bool window_is_free(KmemdumpMd *s, uint64_t size, Error **errp)
{
    MemoryRegionSection taken;

    if (s->addr % PAGE || s->addr + size < s->addr) {
        error_setg(errp,
                   "addr=0x%" PRIx64 " is not possible: it has to be a "
                   "multiple of 0x%x with 0x%" PRIx64 " bytes behind it",
                   s->addr, PAGE, size);
        return false;
    }
    taken = memory_region_find(get_system_memory(), s->addr, size);
    if (taken.mr) {
        error_setg(errp,
                   "addr=0x%" PRIx64 " is taken: '%s' lies at 0x%" PRIx64
                   "; choose 0x%" PRIx64 " bytes that are free in 'info mtree'",
                   s->addr, memory_region_name(taken.mr),
                   (uint64_t)taken.offset_within_address_space, size);
        memory_region_unref(taken.mr);
        return false;
    }
    return true;
}

static void reset(void *opaque)
{
    KmemdumpMd *s = opaque;

    kmd_reset(s->controller);
}

static void realize(DeviceState *dev, Error **errp)
{
    KmemdumpMd *s = KMEMDUMP_MD(dev);
    Chardev *chardev = qemu_chr_fe_get_driver(&s->chardev);
    char *error = NULL;
    uint64_t size;

    if (replay_mode != REPLAY_MODE_NONE) {
        error_setg(errp,
                   "a controller cannot be recorded or replayed: when the host "
                   "takes a dump, and for how long, is not the same twice; "
                   "leave out either rr= of -icount or the device");
        return;
    }
    s->config.chardev = chardev ? chardev->label : NULL;
    s->config.plugin_version = KMD_PLUGIN_VERSION;
    s->config.qemu_version = QEMU_VERSION;
    s->controller = kmd_create(&s->config, &host_ops, s, &error);
    if (!s->controller) {
        error_setg(errp, "%s", error);
        free(error);
        return;
    }
    size = kmd_window_size(s->controller);
    if (!window_is_free(s, size, errp)) {
        kmd_destroy(s->controller);
        s->controller = NULL;
        return;
    }

    kmd_set_trace(s->controller, s->trace);
    s->state_size = kmd_state_size(s->controller);
    g_assert(s->state_size > 0);
    s->state = g_malloc(s->state_size);

    memory_region_init_io(&s->mmio, OBJECT(s), &mmio_ops, s, TYPE_KMEMDUMP_MD,
                          size);
    memory_region_add_subregion(get_system_memory(), s->addr, &s->mmio);
    s->machine_done.notify = add_device_tree_node;
    qemu_add_machine_init_done_notifier(&s->machine_done);
    qemu_register_reset(reset, s);
    devices = g_slist_append(devices, s);
    kmemdump_md_add_controller(s->controller);
}

static Property properties[] = {
    DEFINE_PROP_UINT64("addr", KmemdumpMd, addr, DEFAULT_ADDR),
    DEFINE_PROP_STRING("output", KmemdumpMd, config.output),
    DEFINE_PROP_STRING("name", KmemdumpMd, config.name),
    DEFINE_PROP_STRING("file", KmemdumpMd, config.file),
    DEFINE_PROP_CHR("chardev", KmemdumpMd, chardev),
    DEFINE_PROP_UINT64("chardev-timeout", KmemdumpMd, config.chardev_timeout_ms,
                       KMD_DEFAULT_CHARDEV_TIMEOUT_MS),
    DEFINE_PROP_STRING("compress", KmemdumpMd, config.compress),
    DEFINE_PROP_UINT64("keep", KmemdumpMd, config.keep, KMD_DEFAULT_KEEP),
    DEFINE_PROP_BOOL("sidecar", KmemdumpMd, config.sidecar,
                     KMD_DEFAULT_SIDECAR),
    DEFINE_PROP_STRING("format", KmemdumpMd, config.format),
    DEFINE_PROP_STRING("capture", KmemdumpMd, config.capture),
    DEFINE_PROP_UINT64("slots", KmemdumpMd, config.slots, KMD_DEFAULT_SLOTS),
    DEFINE_PROP_UINT64("max-regions", KmemdumpMd, config.max_regions,
                       KMD_DEFAULT_MAX_REGIONS),
    DEFINE_PROP_UINT64("max-dumps", KmemdumpMd, config.max_dumps,
                       KMD_DEFAULT_MAX_DUMPS),
    DEFINE_PROP_UINT64("max-bytes", KmemdumpMd, config.max_bytes,
                       KMD_DEFAULT_MAX_BYTES),
    DEFINE_PROP_BOOL("pause", KmemdumpMd, config.pause, KMD_DEFAULT_PAUSE),
    DEFINE_PROP_BOOL("event", KmemdumpMd, event, false),
    DEFINE_PROP_BOOL("on-reset", KmemdumpMd, config.on_reset,
                     KMD_DEFAULT_ON_RESET),
    DEFINE_PROP_BOOL("on-shutdown", KmemdumpMd, config.on_shutdown,
                     KMD_DEFAULT_ON_SHUTDOWN),
    DEFINE_PROP_BOOL("on-quit", KmemdumpMd, config.on_quit,
                     KMD_DEFAULT_ON_QUIT),
    DEFINE_PROP_UINT64("inject-refuse", KmemdumpMd, config.inject_refuse, 0),
    DEFINE_PROP_UINT64("inject-full", KmemdumpMd, config.inject_full, 0),
    DEFINE_PROP_UINT64("inject-write-fail", KmemdumpMd,
                       config.inject_write_fail, 0),
    DEFINE_PROP_UINT64("inject-write-cut", KmemdumpMd, config.inject_write_cut,
                       0),
    DEFINE_PROP_UINT64("inject-stop", KmemdumpMd, config.inject_stop, 0),
    DEFINE_PROP_END_OF_LIST(),
};

/* Snapshots and migration */

static int pre_save(void *opaque)
{
    KmemdumpMd *s = opaque;

    char *error = kmd_save_state(s->controller, s->state);

    if (error) {
        error_report("kmemdump-md: the state cannot be saved: %s", error);
        free(error);
        return -ENOMEM;
    }
    return 0;
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

static const VMStateDescription vmstate = {
    .name = TYPE_KMEMDUMP_MD,
    .version_id = 2,
    .minimum_version_id = 2,
    .pre_save = pre_save,
    .post_load = post_load,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT32_EQUAL(
                state_size, KmemdumpMd,
                "kmemdump-md needs the same slots= on both sides"),
            VMSTATE_VBUFFER_UINT32(state, KmemdumpMd, 1, NULL, state_size),
            VMSTATE_END_OF_LIST(),
        },
};

static void class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "minidump controller";
    dc->realize = realize;
    dc->vmsd = &vmstate;
    /* The guest finds it in the device tree, which is made at start-up. */
    dc->hotpluggable = false;
    device_class_set_props(dc, properties);
    kmemdump_md_add_runtime_properties(klass);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo type = {
    .name = TYPE_KMEMDUMP_MD,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(KmemdumpMd),
    .class_init = class_init,
};

void kmemdump_md_register_type(void)
{
    type_register_static(&type);
    kmemdump_md_watch_machine();
}
