/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "triggers.h"

#include "guest_panic.h"
#include "main_loop_work.h"

/* Of struct kmd_controller. */
static GSList *controllers;

/* A dump is taken in the main loop, where vCPUs can be waited for. */

void kmemdump_md_schedule_dumps(void)
{
    kmemdump_md_want_main_loop_work();
    /* Stop the ringing vCPU as soon as possible. */
    cpu_stop_current();
}

/* Asks all of them: each forgets what it was asked for. */
static bool has_to_pause(void)
{
    bool pause = false;

    for (GSList *item = controllers; item; item = item->next) {
        pause |= kmd_wants_pause(item->data) != 0;
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
        kmd_take_dump(item->data);
    }
}

/* One dump of a kernel that registers nothing, however many controllers. */
static void choose_controller(void)
{
    const guint count = g_slist_length(controllers);
    g_autofree struct kmd_controller **all =
        g_new(struct kmd_controller *, count);
    guint i = 0;

    for (GSList *item = controllers; item; item = item->next) {
        all[i++] = item->data;
    }
    kmd_choose(all, count);
}

/* What the machine does to the guest, while the registers are still its own. */

static void send_event(enum kmd_machine_event event)
{
    choose_controller();
    for (GSList *item = controllers; item; item = item->next) {
        kmd_machine_event(item->data, event);
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
    kmemdump_md_watch_for_panics(on_panic);
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

/* A panic that the guest does not tell of. */

enum { POLL_INTERVAL_MS = 1000 };

static QEMUTimer *poll_timer;

static void poll_controllers(void *unused)
{
    choose_controller();
    for (GSList *item = controllers; item; item = item->next) {
        kmd_poll(item->data);
    }
    timer_mod(poll_timer,
              qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + POLL_INTERVAL_MS);
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
        kmd_shut_down(item->data);
    }
}

char *kmemdump_md_dump_now(struct kmd_controller *controller,
                           const char *reason)
{
    char *error;

    pause_all_vcpus();
    /* While the CPUs were waited for, the guest can have unplugged it. */
    error = g_slist_find(controllers, controller)
                ? kmd_request_dump(controller, reason)
                : strdup("the guest has unplugged the controller");
    let_guest_go_on();
    return error;
}

void kmemdump_md_add_controller(struct kmd_controller *controller)
{
    static Notifier machine_done = {.notify = watch_for_panics};

    controllers = g_slist_append(controllers, controller);
    if (!machine_done.node.le_prev) {
        qemu_add_machine_init_done_notifier(&machine_done);
        poll_timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, poll_controllers, NULL);
        timer_mod(poll_timer, POLL_INTERVAL_MS);
    }
}

void kmemdump_md_remove_controller(struct kmd_controller *controller)
{
    controllers = g_slist_remove(controllers, controller);
}

void kmemdump_md_watch_machine(void)
{
    static Notifier shutdown = {.notify = on_shutdown};

    /* Not for loadvm: that is no reset of the guest's. */
    qemu_register_reset_nosnapshotload(before_reset, NULL);
    kmemdump_md_set_main_loop_work(take_dumps);
    qemu_register_shutdown_notifier(&shutdown);
    qemu_add_vm_change_state_handler(on_state_change, NULL);
}
