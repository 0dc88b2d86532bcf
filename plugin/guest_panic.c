/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every other panic stops the machine or ends QEMU, which a device can hook
 * into. After this one nothing happens but an event in QMP. So this is a QMP
 * client inside QEMU: a character device whose other end is below, and the
 * monitor that talks to it.
 */
#include "qemu_compat.h"

#include "guest_panic.h"

#define TYPE_EVENT_LISTENER "chardev-kmemdump-md-events"
#define LABEL "kmemdump-md-events"

#define LONGEST_LINE 65536

OBJECT_DECLARE_SIMPLE_TYPE(EventListener, EVENT_LISTENER)

struct EventListener {
    Chardev parent_obj;

    GString *line;
};

static void (*panicked_hook)(void);

static bool is_panic_that_goes_on(const char *line)
{
    QObject *object = qobject_from_json(line, NULL);
    QDict *message = qobject_to(QDict, object);
    const char *event = message ? qdict_get_try_str(message, "event") : NULL;
    bool goes_on = false;

    if (event && g_str_equal(event, "GUEST_PANICKED")) {
        QDict *data = qdict_get_qdict(message, "data");
        const char *action = data ? qdict_get_try_str(data, "action") : NULL;

        goes_on = action && g_str_equal(action, "run");
    }
    qobject_unref(object);
    return goes_on;
}

/* What the monitor says, in any number of pieces. */
static int take_output(Chardev *chr, const uint8_t *bytes, int length)
{
    EventListener *listener = EVENT_LISTENER(chr);

    for (int i = 0; i < length; i++) {
        if (bytes[i] != '\n') {
            if (listener->line->len < LONGEST_LINE) {
                g_string_append_c(listener->line, bytes[i]);
            }
            continue;
        }
        if (is_panic_that_goes_on(listener->line->str)) {
            panicked_hook();
        }
        g_string_truncate(listener->line, 0);
    }
    return length;
}

static void listener_init(Object *obj)
{
    EVENT_LISTENER(obj)->line = g_string_new(NULL);
}

static void listener_finalize(Object *obj)
{
    g_string_free(EVENT_LISTENER(obj)->line, true);
}

static void listener_class_init(ObjectClass *klass, KmdClassData *data)
{
    CHARDEV_CLASS(klass)->internal = true;
    CHARDEV_CLASS(klass)->chr_write = take_output;
}

static const TypeInfo listener_type = {
    .name = TYPE_EVENT_LISTENER,
    .parent = TYPE_CHARDEV,
    .instance_size = sizeof(EventListener),
    .instance_init = listener_init,
    .instance_finalize = listener_finalize,
    .class_init = listener_class_init,
};

void kmemdump_md_watch_for_panics(void (*panicked)(void))
{
    static const char hello[] = "{\"execute\":\"qmp_capabilities\"}\n";
    Chardev *chr;

    panicked_hook = panicked;
    type_register_static(&listener_type);
    chr =
        qemu_chardev_new(LABEL, TYPE_EVENT_LISTENER, NULL, NULL, &error_fatal);
    kmd_add_qmp_monitor(chr);
    qemu_chr_be_write(chr, (uint8_t *)hello, sizeof(hello) - 1);
}
