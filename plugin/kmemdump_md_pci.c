/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `-device kmemdump-md-pci`: a controller that is a PCI function, which kernels
 * find under device tree, ACPI and UEFI alike. BAR 0 is the window.
 */
#include "qemu_compat.h"

#include "common/kmemdump_md_regs.h"
#include "kmemdump_md_device.h"

static void realize(PCIDevice *dev, Error **errp)
{
    KmemdumpMdPci *s = KMEMDUMP_MD_PCI(dev);
    g_autofree char *path = qdev_get_dev_path(DEVICE(dev));
    g_autofree char *unit = g_strdup_printf(TYPE_KMEMDUMP_MD_PCI "@%s", path);

    if (!kmemdump_md_realize(&s->md, DEVICE(dev), unit, true, errp)) {
        return;
    }
    pci_register_bar(
        dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64,
        &s->md.mmio);
}

static void leave(PCIDevice *dev)
{
    kmemdump_md_unrealize(&KMEMDUMP_MD_PCI(dev)->md);
}

static void finalize(Object *obj)
{
    kmemdump_md_finalize(&KMEMDUMP_MD_PCI(obj)->md);
}

static KmdProperty properties[] = {KMEMDUMP_MD_PROPERTIES(KmemdumpMdPci, md),
                                   KMD_PROPERTIES_END};

static const VMStateDescription vmstate = {
    .name = TYPE_KMEMDUMP_MD_PCI,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_PCI_DEVICE(parent_obj, KmemdumpMdPci),
            VMSTATE_STRUCT(md, KmemdumpMdPci, 1, kmemdump_md_vmstate,
                           KmemdumpMd),
            VMSTATE_END_OF_LIST(),
        },
};

static void class_init(ObjectClass *klass, KmdClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    kmemdump_md_class_init(klass);
    dc->vmsd = &vmstate;
    device_class_set_props(dc, properties);
    pc->realize = realize;
    pc->exit = leave;
    pc->vendor_id = KMD_PCI_VENDOR_ID;
    pc->device_id = KMD_PCI_DEVICE_ID;
    pc->class_id = PCI_CLASS_SYSTEM_OTHER;
}

static const TypeInfo type = {
    .name = TYPE_KMEMDUMP_MD_PCI,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(KmemdumpMdPci),
    .instance_finalize = finalize,
    .class_init = class_init,
    .interfaces =
        (InterfaceInfo[]){
            {INTERFACE_CONVENTIONAL_PCI_DEVICE},
            {},
        },
};

void kmemdump_md_register_pci_type(void)
{
    type_register_static(&type);
}
