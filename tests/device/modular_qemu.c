/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks like a QEMU that has modules but no plugins: it exports what a device
 * needs, and prints its arguments and its LD_PRELOAD instead of running a guest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) void type_register_static(void)
{
}

int main(int argc, char** argv)
{
    const char* preload = getenv("LD_PRELOAD");

    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("QEMU emulator version " KMD_QEMU_RELEASE);
        return 0;
    }
    fprintf(stderr, "preload %s\n", preload ? preload : "nothing");
    for (int i = 1; i < argc; i++) {
        fprintf(stderr, "argument %s\n", argv[i]);
    }
    return 1;
}
