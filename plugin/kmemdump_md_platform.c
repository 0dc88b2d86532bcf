/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `-device kmemdump-md`: a controller whose window is at a fixed address, where
 * firmware and early code find it, and kernels by its node in the device tree.
 */
#include "qemu_compat.h"

#include "common/kmemdump_md_regs.h"
#include "kmemdump_md_device.h"

/*
 * Free in the memory map of the arm virt machine: behind the virtio-mmio
 * transports, ahead of the platform bus.
 */
#define DEFAULT_ADDR 0x0b000000

#define PAGE 4096

/* Adds the node before the board packs its device tree. */
static void add_device_tree_node(Notifier *notifier, void *data)
{
    KmemdumpMdPlatform *s =
        container_of(notifier, KmemdumpMdPlatform, machine_done);
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
    node = g_strdup_printf("/%s", s->md.unit);
    qemu_fdt_add_subnode(fdt, node);
    qemu_fdt_setprop_string(fdt, node, "compatible", KMD_DT_COMPATIBLE);
    qemu_fdt_setprop_sized_cells(fdt, node, "reg", address_cells, s->addr,
                                 size_cells, memory_region_size(&s->md.mmio));
}

static bool window_is_free(KmemdumpMdPlatform *s, Error **errp)
{
    const uint64_t size = memory_region_size(&s->md.mmio);
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

static void realize(DeviceState *dev, Error **errp)
{
    KmemdumpMdPlatform *s = KMEMDUMP_MD(dev);
    g_autofree char *unit =
        g_strdup_printf(TYPE_KMEMDUMP_MD "@%" PRIx64, s->addr);

    if (!kmemdump_md_realize(&s->md, dev, unit, false, errp)) {
        return;
    }
    if (!window_is_free(s, errp)) {
        kmemdump_md_unrealize(&s->md);
        return;
    }
    memory_region_add_subregion(get_system_memory(), s->addr, &s->md.mmio);
    s->machine_done.notify = add_device_tree_node;
    qemu_add_machine_init_done_notifier(&s->machine_done);
}

static void finalize(Object *obj)
{
    kmemdump_md_finalize(&KMEMDUMP_MD(obj)->md);
}

static KmdProperty properties[] = {
    DEFINE_PROP_UINT64("addr", KmemdumpMdPlatform, addr, DEFAULT_ADDR),
    KMEMDUMP_MD_PROPERTIES(KmemdumpMdPlatform, md), KMD_PROPERTIES_END};

static const VMStateDescription vmstate = {
    .name = TYPE_KMEMDUMP_MD "-platform",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_STRUCT(md, KmemdumpMdPlatform, 1, kmemdump_md_vmstate,
                           KmemdumpMd),
            VMSTATE_END_OF_LIST(),
        },
};

static void class_init(ObjectClass *klass, KmdClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    kmemdump_md_class_init(klass);
    dc->realize = realize;
    dc->vmsd = &vmstate;
    /* The guest finds it in the device tree, which is made at start-up. */
    dc->hotpluggable = false;
    device_class_set_props(dc, properties);
}

static const TypeInfo type = {
    .name = TYPE_KMEMDUMP_MD,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(KmemdumpMdPlatform),
    .instance_finalize = finalize,
    .class_init = class_init,
};

void kmemdump_md_register_platform_type(void)
{
    type_register_static(&type);
}
