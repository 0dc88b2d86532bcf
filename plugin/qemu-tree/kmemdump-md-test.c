/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QTest testcase for the kmemdump-md minidump controller
 */
#include "qemu/osdep.h"
#include "libqtest-single.h"
#include "hw/misc/kmemdump-md/common/kmemdump_md_regs.h"

#define WINDOW 0x0b000000
#define RAM 0x40000000
#define REGION_SIZE 0x1000

static char *folder;

static uint32_t get(enum kmd_register reg)
{
    return readl(WINDOW + reg);
}

static void put_in_slot(enum kmd_slot_field field, uint64_t value)
{
    writeq(WINDOW + KMD_SLOT_OFFSET_VALUE + field, value);
}

static void start(void)
{
    global_qtest = qtest_initf("-M virt -cpu cortex-a57 -m 64M -nic none "
                               "-device kmemdump-md,output=%s",
                               folder);
}

/* Registers a page of RAM with a pattern. */
static void register_region(void)
{
    qtest_memset(global_qtest, RAM, 0x5a, REGION_SIZE);
    put_in_slot(KMD_SLOT_PHYS, RAM);
    put_in_slot(KMD_SLOT_VIRT, RAM);
    put_in_slot(KMD_SLOT_SIZE, REGION_SIZE);
    writel(WINDOW + KMD_SLOT_OFFSET_VALUE + KMD_SLOT_COMMIT, 1);
}

static char *dump_path(void)
{
    return g_build_filename(folder, "kmemdump-0001-request.elf", NULL);
}

static void test_identity(void)
{
    start();
    g_assert_cmphex(get(KMD_MAGIC), ==, KMD_MAGIC_VALUE);
    g_assert_cmpuint(get(KMD_VERSION) >> 16, ==, KMD_VERSION_MAJOR);
    g_assert_cmpuint(get(KMD_SLOT_STRIDE), ==, KMD_SLOT_STRIDE_VALUE);
    g_assert_cmpuint(get(KMD_REGION_COUNT), ==, 0);
    qtest_end();
}

static void test_dump(void)
{
    g_autofree char *path = dump_path();
    g_autofree char *bytes = NULL;
    gsize size = 0;

    start();
    register_region();
    g_assert_cmpuint(get(KMD_REGION_COUNT), ==, 1);
    writel(WINDOW + KMD_DOORBELL, KMD_REASON_REQUEST);
    while (get(KMD_STATUS) & KMD_STATUS_BUSY) {
        g_usleep(1000);
    }
    g_assert_cmpuint(get(KMD_LAST_RESULT), ==, KMD_RESULT_COMPLETE);
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    g_assert_cmpuint(size, >, REGION_SIZE);
    g_assert_cmpmem(bytes, 4, "\177ELF", 4);
    g_assert_cmpint(unlink(path), ==, 0);
    qtest_end();
}

static void test_reset_empties_the_table(void)
{
    start();
    register_region();
    qtest_system_reset(global_qtest);
    g_assert_cmpuint(get(KMD_REGION_COUNT), ==, 0);
    qtest_end();
}

int main(int argc, char **argv)
{
    g_autofree char *command = NULL;
    int status;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("kmemdump-md-test-XXXXXX", NULL);
    qtest_add_func("/kmemdump-md/identity", test_identity);
    qtest_add_func("/kmemdump-md/dump", test_dump);
    qtest_add_func("/kmemdump-md/reset", test_reset_empties_the_table);
    status = g_test_run();
    command = g_strdup_printf("rm -rf '%s'", folder);
    if (system(command) != 0) {
        g_printerr("%s stays\n", folder);
    }
    g_free(folder);
    return status;
}
