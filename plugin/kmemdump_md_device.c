/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QOM shell: binds the controller of hw/ to a QEMU machine. It translates
 * and decides nothing that could be decided without QEMU.
 */
#include "qemu_compat.h"

#include "cpu_registers.h"
#include "guest_panic.h"
#include "kmemdump_md_device.h"
#include "hw/abi/kmemdump_md.h"
#include "common/kmemdump_md_regs.h"
#include "main_loop_work.h"

/*
 * Free in the memory map of the arm virt machine: behind the virtio-mmio
 * transports, ahead of the platform bus.
 */
#define DEFAULT_ADDR 0x0b000000

#define PAGE 4096

OBJECT_DECLARE_SIMPLE_TYPE(KmemdumpMd, KMEMDUMP_MD)

struct KmemdumpMd {
    DeviceState parent_obj;

    MemoryRegion mmio;
    Notifier machine_done;
    struct kmd_controller *controller;

    uint64_t addr;
    uint64_t slots;
    uint64_t max_regions;
    uint64_t max_dumps;
    uint64_t max_bytes;
    char *output;
    char *name;
    char *file;
    CharBackend chardev;
    uint64_t chardev_timeout;
    char *compress;
    uint64_t keep;
    bool sidecar;
    uint64_t inject_refuse;
    uint64_t inject_full;
    uint64_t inject_write_fail;
    uint64_t inject_write_cut;
    uint64_t inject_stop;
    char *format;
    char *capture;
    bool pause;
    bool event;
    bool on_reset;
    bool on_shutdown;
    bool on_quit;
    bool trace;

    /* The controller's state on its way to or from a snapshot. */
    uint8_t *state;
    uint32_t state_size;

    /* Attempts to take a dump that the guest was stopped for, if it is. */
    uint64_t attempts_seen;
};

/* All controllers, for the handlers that exist once. */
static GSList *controllers;

static unsigned max_cpus;

void kmemdump_md_set_max_cpus(int count)
{
    max_cpus = count;
}

/* Guest memory and CPUs for the controller */

static uint64_t map_ram(void *host, uint64_t phys, uint64_t size,
                        const void **bytes)
{
    MemoryRegionSection section;
    uint64_t length = 0;

    section = memory_region_find(get_system_memory(), phys, size);
    if (!section.mr) {
        return 0;
    }
    if (section.offset_within_address_space == phys &&
        memory_region_is_ram(section.mr) && !section.readonly &&
        !memory_region_is_rom(section.mr) &&
        !memory_region_is_ram_device(section.mr)) {
        *bytes = (const char *)memory_region_get_ram_ptr(section.mr) +
                 section.offset_within_region;
        length = int128_get64(section.size);
    }
    /* The big lock, which the caller holds, keeps the memory in place. */
    memory_region_unref(section.mr);
    return length;
}

static void describe_machine(void *host, struct kmd_machine *machine)
{
    ArchDumpInfo info = {};
    GuestPhysBlockList none = {};

    QTAILQ_INIT(&none.head);
    if (cpu_get_dump_info(&info, &none) == 0) {
        machine->elf_machine = info.d_machine;
        machine->elf_class = info.d_class;
        machine->elf_data = info.d_endian;
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

static void cpu_notes(void *host, kmd_note_sink *put, void *sink)
{
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

static void cpu_registers(void *host, unsigned cpu,
                          struct kmd_cpu_register *registers, size_t count)
{
    CPUState *state = qemu_get_cpu(cpu);

    if (state) {
        kmemdump_md_read_registers(state, registers, count);
    }
}

/* A dump is taken in the main loop, where vCPUs can be waited for. */

static void schedule_dump(void *host)
{
    kmemdump_md_want_main_loop_work();
    /* Stop the ringing vCPU as soon as possible. */
    cpu_stop_current();
}

/* Whether the guest has to stop for a dump that was taken since the last call.
 */
static bool has_to_pause(void)
{
    bool pause = false;

    for (GSList *item = controllers; item; item = item->next) {
        KmemdumpMd *s = item->data;
        uint64_t attempts = kmd_get_number(s->controller, KMD_NUMBER_ATTEMPTS);

        pause = pause || (s->pause && attempts != s->attempts_seen);
        s->attempts_seen = attempts;
    }
    return pause;
}

/* The one way back after pause_all_vcpus(), whatever the dump was taken for. */
static void let_guest_go_on(void)
{
    if (has_to_pause()) {
        vm_stop(RUN_STATE_PAUSED);
    } else {
        resume_all_vcpus();
    }
}

static void take_pending_dumps(void)
{
    for (GSList *item = controllers; item; item = item->next) {
        kmd_take_dump(((KmemdumpMd *)item->data)->controller);
    }
}

/* What the machine does to the guest, while the registers are still its own. */

static void send_event(enum kmd_machine_event event)
{
    for (GSList *item = controllers; item; item = item->next) {
        kmd_machine_event(((KmemdumpMd *)item->data)->controller, event);
    }
}

/*
 * Registered before the machine has any device, so that it runs before the
 * CPUs are reset.
 */
static void before_reset(void *unused)
{
    send_event(KMD_EVENT_RESET);
    /* What comes is another kernel: there is nothing left to look at. */
    has_to_pause();
}

static void on_state_change(void *unused, bool running, RunState state)
{
    if (!running) {
        /* What stops it may replace it (loadvm), or take it away (migrate). */
        take_pending_dumps();
    }
    if (state == RUN_STATE_GUEST_PANICKED) {
        send_event(KMD_EVENT_PANIC);
    }
}

/* A panic after which the guest runs on: stop it as soon as possible. */

static bool panic_reported;

static void on_panic(void)
{
    panic_reported = true;
    kmemdump_md_want_main_loop_work();
    cpu_stop_current();
}

static void watch_for_panics(Notifier *notifier, void *data)
{
    if (controllers) {
        kmemdump_md_watch_for_panics(on_panic);
    }
}

static void take_dumps(void)
{
    pause_all_vcpus();
    take_pending_dumps();
    if (panic_reported) {
        panic_reported = false;
        send_event(KMD_EVENT_PANIC);
    }
    let_guest_go_on();
}

static enum kmd_machine_event event_of(ShutdownCause cause)
{
    switch (cause) {
    case SHUTDOWN_CAUSE_GUEST_SHUTDOWN:
        return KMD_EVENT_SHUTDOWN;
    case SHUTDOWN_CAUSE_GUEST_RESET:
    case SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET:
    case SHUTDOWN_CAUSE_SUBSYSTEM_RESET:
        /* -no-reboot */
        return KMD_EVENT_RESET;
    case SHUTDOWN_CAUSE_GUEST_PANIC:
        return KMD_EVENT_PANIC;
    default:
        return KMD_EVENT_QUIT;
    }
}

static void on_shutdown(Notifier *notifier, void *cause)
{
    pause_all_vcpus();
    send_event(event_of(*(ShutdownCause *)cause));
    for (GSList *item = controllers; item; item = item->next) {
        kmd_shut_down(((KmemdumpMd *)item->data)->controller);
    }
}

/* qom-set PATH dump REASON */
static void request_dump(Object *obj, const char *reason, Error **errp)
{
    KmemdumpMd *s = KMEMDUMP_MD(obj);
    char *error;

    if (!s->controller) {
        error_setg(errp, "'dump' is set while the machine runs, with qom-set");
        return;
    }
    pause_all_vcpus();
    error = kmd_request_dump(s->controller, reason);
    let_guest_go_on();
    if (error) {
        error_setg(errp, "%s", error);
        free(error);
    }
}

/* What qom-get shows */

static const struct {
    const char *name;
    enum kmd_number number;
    const char *description;
} numbers[] = {
    {"dumps", KMD_NUMBER_DUMPS, "complete dumps since power-on"},
    {"last-bytes", KMD_NUMBER_LAST_BYTES, "bytes in the last file"},
    {"last-nanoseconds", KMD_NUMBER_LAST_NANOSECONDS,
     "how long the last attempt held the guest"},
};

static const struct {
    const char *name;
    enum kmd_text text;
    const char *description;
} texts[] = {
    {"state", KMD_TEXT_STATE, "unused, ready, busy or limit"},
    {"last-file", KMD_TEXT_LAST_FILE, "path of the last file"},
    {"last-error", KMD_TEXT_LAST_ERROR, "why there is no last file"},
    {"regions", KMD_TEXT_REGIONS, "the region table as JSON"},
};

static void get_number(Object *obj, Visitor *visitor, const char *name,
                       void *index, Error **errp)
{
    KmemdumpMd *s = KMEMDUMP_MD(obj);
    uint64_t value = 0;

    if (s->controller) {
        value = kmd_get_number(s->controller, numbers[(uintptr_t)index].number);
    }
    visit_type_uint64(visitor, name, &value, errp);
}

static void get_text(Object *obj, Visitor *visitor, const char *name,
                     void *index, Error **errp)
{
    KmemdumpMd *s = KMEMDUMP_MD(obj);
    char *value = s->controller ? kmd_get_text(s->controller,
                                               texts[(uintptr_t)index].text)
                                : strdup("");

    visit_type_str(visitor, name, &value, errp);
    free(value);
}

static bool get_trace(Object *obj, Error **errp)
{
    return KMEMDUMP_MD(obj)->trace;
}

static void set_trace(Object *obj, bool on, Error **errp)
{
    KmemdumpMd *s = KMEMDUMP_MD(obj);

    s->trace = on;
    if (s->controller) {
        kmd_set_trace(s->controller, on);
    }
}

static void add_properties(ObjectClass *klass)
{
    for (uintptr_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        object_class_property_add(klass, numbers[i].name, "uint64", get_number,
                                  NULL, NULL, (void *)i);
        object_class_property_set_description(klass, numbers[i].name,
                                              numbers[i].description);
    }
    for (uintptr_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        object_class_property_add(klass, texts[i].name, "str", get_text, NULL,
                                  NULL, (void *)i);
        object_class_property_set_description(klass, texts[i].name,
                                              texts[i].description);
    }
    object_class_property_add_bool(klass, "trace", get_trace, set_trace);
    object_class_property_set_description(
        klass, "trace", "log every access and every step of a dump");
    object_class_property_add_str(klass, "dump", NULL, request_dump);
    object_class_property_set_description(
        klass, "dump", "takes a dump now when it is set to 'host' or 'hang'");
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

    for (GSList *item = controllers; item; item = item->next) {
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
    .map_ram = map_ram,
    .machine = describe_machine,
    .cpu_notes = cpu_notes,
    .cpu_registers = cpu_registers,
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
    struct kmd_config config = {
        .slots = s->slots,
        .max_regions = s->max_regions,
        .max_dumps = s->max_dumps,
        .on_reset = s->on_reset,
        .on_shutdown = s->on_shutdown,
        .on_quit = s->on_quit,
        .max_bytes = s->max_bytes,
        .keep = s->keep,
        .sidecar = s->sidecar,
        .chardev_timeout_ms = s->chardev_timeout,
        .inject_refuse = s->inject_refuse,
        .inject_full = s->inject_full,
        .inject_write_fail = s->inject_write_fail,
        .inject_write_cut = s->inject_write_cut,
        .inject_stop = s->inject_stop,
        .output = s->output,
        .name = s->name,
        .file = s->file,
        .chardev = chardev ? chardev->label : NULL,
        .compress = s->compress,
        .plugin_version = KMD_PLUGIN_VERSION,
        .qemu_version = QEMU_VERSION,
        .format = s->format,
        .capture = s->capture,
    };
    char *error = NULL;
    uint64_t size;

    if (replay_mode != REPLAY_MODE_NONE) {
        error_setg(errp,
                   "a controller cannot be recorded or replayed: when the host "
                   "takes a dump, and for how long, is not the same twice; "
                   "leave out either rr= of -icount or the device");
        return;
    }
    s->controller = kmd_create(&config, &host_ops, s, &error);
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
    controllers = g_slist_append(controllers, s);
}

static Property properties[] = {
    DEFINE_PROP_UINT64("addr", KmemdumpMd, addr, DEFAULT_ADDR),
    DEFINE_PROP_STRING("output", KmemdumpMd, output),
    DEFINE_PROP_STRING("name", KmemdumpMd, name),
    DEFINE_PROP_STRING("file", KmemdumpMd, file),
    DEFINE_PROP_CHR("chardev", KmemdumpMd, chardev),
    DEFINE_PROP_UINT64("chardev-timeout", KmemdumpMd, chardev_timeout, 10000),
    DEFINE_PROP_STRING("compress", KmemdumpMd, compress),
    DEFINE_PROP_UINT64("keep", KmemdumpMd, keep, 0),
    DEFINE_PROP_BOOL("sidecar", KmemdumpMd, sidecar, true),
    DEFINE_PROP_STRING("format", KmemdumpMd, format),
    DEFINE_PROP_STRING("capture", KmemdumpMd, capture),
    DEFINE_PROP_UINT64("slots", KmemdumpMd, slots, 512),
    DEFINE_PROP_UINT64("max-regions", KmemdumpMd, max_regions, 0),
    DEFINE_PROP_UINT64("max-dumps", KmemdumpMd, max_dumps, 16),
    DEFINE_PROP_UINT64("max-bytes", KmemdumpMd, max_bytes, 0),
    DEFINE_PROP_BOOL("pause", KmemdumpMd, pause, false),
    DEFINE_PROP_BOOL("event", KmemdumpMd, event, false),
    DEFINE_PROP_BOOL("on-reset", KmemdumpMd, on_reset, true),
    DEFINE_PROP_BOOL("on-shutdown", KmemdumpMd, on_shutdown, true),
    DEFINE_PROP_BOOL("on-quit", KmemdumpMd, on_quit, false),
    DEFINE_PROP_UINT64("inject-refuse", KmemdumpMd, inject_refuse, 0),
    DEFINE_PROP_UINT64("inject-full", KmemdumpMd, inject_full, 0),
    DEFINE_PROP_UINT64("inject-write-fail", KmemdumpMd, inject_write_fail, 0),
    DEFINE_PROP_UINT64("inject-write-cut", KmemdumpMd, inject_write_cut, 0),
    DEFINE_PROP_UINT64("inject-stop", KmemdumpMd, inject_stop, 0),
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
    add_properties(klass);
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
    static Notifier shutdown = {.notify = on_shutdown};
    static Notifier machine_done = {.notify = watch_for_panics};

    type_register_static(&type);
    /* Not for loadvm: that is no reset of the guest's. */
    qemu_register_reset_nosnapshotload(before_reset, NULL);
    kmemdump_md_set_main_loop_work(take_dumps);
    qemu_register_shutdown_notifier(&shutdown);
    qemu_add_vm_change_state_handler(on_state_change, NULL);
    qemu_add_machine_init_done_notifier(&machine_done);
}
