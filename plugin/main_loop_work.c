/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu_compat.h"

#include "main_loop_work.h"

static void (*do_work)(void);
static bool wanted;

/* Called by the main loop itself in each of its rounds, and by nothing else. */
static void on_round(Notifier *notifier, void *poll)
{
    /* The guest arrives in pieces, with rounds in between. */
    if (!wanted || runstate_check(RUN_STATE_INMIGRATE)) {
        return;
    }
    wanted = false;
    do_work();
}

void kmemdump_md_set_main_loop_work(void (*work)(void))
{
    static Notifier round = {.notify = on_round};

    do_work = work;
    main_loop_poll_add_notifier(&round);
}

void kmemdump_md_want_main_loop_work(void)
{
    wanted = true;
    qemu_notify_event();
}
