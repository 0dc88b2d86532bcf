/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime_properties.h"

#include "kmemdump_md_device.h"
#include "triggers.h"

/* qom-set PATH dump REASON */
static void request_dump(Object *obj, const char *reason, Error **errp)
{
    KmemdumpMd *s = kmemdump_md_of(obj);
    char *error;

    if (!s->controller) {
        error_setg(errp, "'dump' is set while the machine runs, with qom-set");
        return;
    }
    object_ref(obj);
    error = kmemdump_md_dump_now(s->controller, reason);
    object_unref(obj);
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
    KmemdumpMd *s = kmemdump_md_of(obj);
    uint64_t value = 0;

    if (s->controller) {
        value = kmd_get_number(s->controller, numbers[(uintptr_t)index].number);
    }
    visit_type_uint64(visitor, name, &value, errp);
}

static void get_text(Object *obj, Visitor *visitor, const char *name,
                     void *index, Error **errp)
{
    KmemdumpMd *s = kmemdump_md_of(obj);
    char *value = s->controller ? kmd_get_text(s->controller,
                                               texts[(uintptr_t)index].text)
                                : strdup("");

    visit_type_str(visitor, name, &value, errp);
    free(value);
}

static bool get_trace(Object *obj, Error **errp)
{
    return kmemdump_md_of(obj)->trace;
}

static void set_trace(Object *obj, bool on, Error **errp)
{
    KmemdumpMd *s = kmemdump_md_of(obj);

    s->trace = on;
    if (s->controller) {
        kmd_set_trace(s->controller, on);
    }
}

void kmemdump_md_add_runtime_properties(ObjectClass *klass)
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
