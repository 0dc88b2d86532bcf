// SPDX-License-Identifier: GPL-2.0
/*
 * Finds kmemdump-md controllers: a node of the device tree, or a PCI function
 * whose BAR 0 is the register window.
 */
#define pr_fmt(fmt) "kmemdump-md: " fmt

#include <linux/init.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include "kmemdump_md_internal.h"

static int md_platform_probe(struct platform_device *pdev)
{
	return kmemdump_md_probe(&pdev->dev, platform_get_resource(pdev, IORESOURCE_MEM, 0));
}

static void md_platform_shutdown(struct platform_device *pdev)
{
	kmemdump_md_shutdown(&pdev->dev);
}

static const struct of_device_id md_of_match[] = {
	{ .compatible = KMD_DT_COMPATIBLE },
	{ }
};
MODULE_DEVICE_TABLE(of, md_of_match);

static struct platform_driver md_platform_driver = {
	.probe = md_platform_probe,
	.shutdown = md_platform_shutdown,
	.driver = {
		.name = "kmemdump-md",
		.of_match_table = md_of_match,
		.dev_groups = kmemdump_md_groups,
		.pm = pm_sleep_ptr(&kmemdump_md_pm),
	},
};

static bool md_in_device_tree(void)
{
	struct device_node *node =
		of_find_compatible_node(NULL, NULL, KMD_DT_COMPATIBLE);

	of_node_put(node);
	return node;
}

#ifdef CONFIG_PCI
static int md_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int ret;

	ret = pcim_enable_device(pdev);
	return ret ?: kmemdump_md_probe(&pdev->dev, &pdev->resource[0]);
}

static void md_pci_shutdown(struct pci_dev *pdev)
{
	kmemdump_md_shutdown(&pdev->dev);
}

static const struct pci_device_id md_pci_match[] = {
	{ PCI_DEVICE(KMD_PCI_VENDOR_ID, KMD_PCI_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, md_pci_match);

static struct pci_driver md_pci_driver = {
	.name = "kmemdump-md-pci",
	.id_table = md_pci_match,
	.probe = md_pci_probe,
	.shutdown = md_pci_shutdown,
	.driver = {
		.dev_groups = kmemdump_md_groups,
		.pm = pm_sleep_ptr(&kmemdump_md_pm),
	},
};

static bool md_on_pci(void)
{
	return pci_dev_present(md_pci_match);
}

static int __init md_register_pci(void)
{
	return pci_register_driver(&md_pci_driver);
}

static void md_unregister_pci(void)
{
	pci_unregister_driver(&md_pci_driver);
}
#else
static bool md_on_pci(void)
{
	return false;
}

static int __init md_register_pci(void)
{
	return 0;
}

static void md_unregister_pci(void)
{
}
#endif

/* A built-in driver comes before the PCI bus has been scanned. */
static bool md_may_still_come(void)
{
	return IS_ENABLED(CONFIG_PCI) && !__is_defined(MODULE);
}

static int __init md_init(void)
{
	int ret;

	if (!md_in_device_tree() && !md_on_pci() && !md_may_still_come())
		pr_err("no controller found, expected a node compatible with \"%s\" in the device tree or PCI function %04x:%04x\n",
		       KMD_DT_COMPATIBLE, KMD_PCI_VENDOR_ID, KMD_PCI_DEVICE_ID);

	ret = platform_driver_register(&md_platform_driver);
	if (ret)
		return ret;

	ret = md_register_pci();
	if (ret)
		platform_driver_unregister(&md_platform_driver);
	return ret;
}

/* Built in, it is registered before the initcalls in which drivers may panic. */
subsys_initcall_sync(md_init);

static void __exit md_exit(void)
{
	md_unregister_pci();
	platform_driver_unregister(&md_platform_driver);
}
module_exit(md_exit);

MODULE_DESCRIPTION("Driver of the kmemdump-md minidump controller");
MODULE_LICENSE("GPL");
