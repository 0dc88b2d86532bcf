/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kmemdump-md.so, the file that users load into a QEMU of any release, with
 * -plugin or with LD_PRELOAD. It loads the part that was built for the release
 * it runs in, kmemdump-md-RELEASE.so beside it, or says why it cannot.
 *
 * So it includes no header of QEMU's, and looks up each function of QEMU's at
 * run time: where one is missing, the dynamic loader would end QEMU before we
 * could say a word.
 */
#include "part.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

#define FRONT "kmemdump-md.so"
#define PART_PREFIX "kmemdump-md-"
#define PART_SUFFIX ".so"

/* QEMU's VersionInfo (qapi/control.json). */
struct version_triple {
    int64_t major;
    int64_t minor;
    int64_t micro;
};

struct version_info {
    struct version_triple *qemu;
    char *package;
};

/* The first members of qemu_info_t (qemu-plugin.h). */
struct plugin_info {
    const char *target_name;
    struct {
        int min;
        int cur;
    } version;
    bool system_emulation;
};

/* QEMU's MODULE_INIT_MIGRATION: when its own types exist, and no machine. */
#define STAGE_AFTER_TYPES 0

/* QEMU reads it after it loaded this file, and refuses what it does not know.
 */
EXPORT int qemu_plugin_version;

/* For programs that look at the file before they start a QEMU with it. */
EXPORT const char kmemdump_md_front[] = KMD_PLUGIN_VERSION;

/* The part for this QEMU; otherwise `problem` says why there is none. */
static const struct kmemdump_md_part *part;
static char problem[2 * PATH_MAX];
static bool registered;

static __attribute__((format(printf, 1, 2))) bool fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(problem, sizeof(problem), format, arguments);
    va_end(arguments);
    return false;
}

static int complain(void)
{
    fprintf(stderr, "%s: kmemdump-md: %s\n", program_invocation_short_name,
            problem);
    return 1;
}

/* Where this file is, without symbolic links. */
static bool find_own_path(char path[PATH_MAX])
{
    Dl_info info;

    return (dladdr(&qemu_plugin_version, &info) && info.dli_fname &&
            realpath(info.dli_fname, path)) ||
           fail("its own file cannot be found: %s", strerror(errno));
}

/* The release that this is, such as "7.2.22". */
static bool find_release(char release[64])
{
    struct version_info *(*query)(void *) = (struct version_info * (*)(void *))
        dlsym(RTLD_DEFAULT, "qmp_query_version");
    struct version_info *version;

    if (!query || !dlsym(RTLD_DEFAULT, "type_register_static")) {
        return fail("this QEMU was built without modules and exports no "
                    "functions that add a device: build the controller into it "
                    "with scripts/integrate-qemu");
    }
    version = query(NULL);
    snprintf(release, 64, "%lld.%lld.%lld", (long long)version->qemu->major,
             (long long)version->qemu->minor, (long long)version->qemu->micro);
    free(version->qemu);
    free(version->package);
    free(version);
    return true;
}

/* Appends to `list` the releases for which there is a part in the folder. */
static void list_parts(const char *folder, char *list, size_t size)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;
    size_t length = 0;

    list[0] = '\0';
    while (entries && (entry = readdir(entries))) {
        const char *name = entry->d_name;
        const size_t end = strlen(name) - strlen(PART_SUFFIX);

        if (strncmp(name, PART_PREFIX, strlen(PART_PREFIX)) == 0 &&
            strlen(name) > strlen(PART_PREFIX PART_SUFFIX) &&
            strcmp(name + end, PART_SUFFIX) == 0 && length < size) {
            length += (size_t)snprintf(
                list + length, size - length, "%s%.*s", length ? ", " : "",
                (int)(end - strlen(PART_PREFIX)), name + strlen(PART_PREFIX));
        }
    }
    if (entries) {
        closedir(entries);
    }
}

static bool load_file(const char *path, const char *release)
{
    void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct kmemdump_md_part *found =
        file ? dlsym(file, KMEMDUMP_MD_PART_SYMBOL) : NULL;

    if (!file) {
        return fail(
            "the part for QEMU %s cannot be loaded (%s): build it again "
            "with scripts/build",
            release, dlerror());
    }
    if (!found || strcmp(found->interface, KMEMDUMP_MD_PART_INTERFACE) != 0 ||
        strcmp(found->plugin_version, KMD_PLUGIN_VERSION) != 0) {
        return fail("%s is of another version of kmemdump-md than " FRONT
                    ", which is %s: build both again with scripts/build",
                    path, KMD_PLUGIN_VERSION);
    }
    if (strcmp(found->qemu_version, release) != 0) {
        return fail("%s was built for QEMU %s, but this is QEMU %s: build it "
                    "again with scripts/build",
                    path, found->qemu_version, release);
    }
    part = found;
    qemu_plugin_version = part->plugin_api;
    return true;
}

static bool load_part(void)
{
    char path[PATH_MAX], folder[PATH_MAX], release[64], others[512];

    if (!find_own_path(folder) || !find_release(release)) {
        return false;
    }
    *strrchr(folder, '/') = '\0';
    if (snprintf(path, sizeof(path), "%s/" PART_PREFIX "%s" PART_SUFFIX, folder,
                 release) >= (int)sizeof(path)) {
        return fail("the path of its folder is too long: %s", folder);
    }
    if (access(path, F_OK) == 0) {
        return load_file(path, release);
    }
    list_parts(folder, others, sizeof(others));
    return fail(
        "this is QEMU %s, and %s has parts for %s: build one for it with "
        "scripts/build where it is installed, or with scripts/build "
        "--qemu-source TREE",
        release, folder, *others ? others : "no QEMU");
}

/* Takes this file out of LD_PRELOAD: programs that QEMU starts do not need it.
 */
static void take_out_of_preload(void)
{
    const char *list = getenv("LD_PRELOAD");
    const size_t size = list ? strlen(list) + 1 : 0;
    char own[PATH_MAX], entry[PATH_MAX];
    char *words, *rest, *next, *word;
    size_t length = 0;

    if (!list || !find_own_path(own)) {
        return;
    }
    words = strdup(list);
    rest = malloc(size);
    if (!words || !rest) {
        abort();
    }
    for (word = strtok_r(words, ": ", &next); word;
         word = strtok_r(NULL, ": ", &next)) {
        if (!realpath(word, entry) || strcmp(entry, own) != 0) {
            length += (size_t)snprintf(rest + length, size - length, "%s%s",
                                       length ? ":" : "", word);
        }
    }
    if (length) {
        setenv("LD_PRELOAD", rest, true);
    } else {
        unsetenv("LD_PRELOAD");
    }
    free(words);
    free(rest);
}

/* False, and a sentence in `problem`, when the types are not registered. */
static bool register_types(void)
{
    const char *error;

    if (!part && (*problem || !load_part())) {
        return false;
    }
    error = registered ? NULL : part->register_types();
    registered = true;
    return !error || fail("%s", error);
}

/* QEMU calls it with its own types complete. */
static void on_types_complete(void)
{
    if (!register_types()) {
        exit(complain());
    }
}

static bool is_system_emulator(void)
{
    return strncmp(program_invocation_short_name, "qemu-system-",
                   strlen("qemu-system-")) == 0;
}

/*
 * Under LD_PRELOAD this runs before QEMU's main(), and in each program on the
 * way to QEMU, such as a shell or env: there it does nothing.
 */
static void on_preload(void)
{
    void (*register_init)(void (*)(void), int) =
        (void (*)(void (*)(void), int))dlsym(RTLD_DEFAULT,
                                             "register_module_init");
    char release[64];

    if (register_init) {
        take_out_of_preload();
        register_init(on_types_complete, STAGE_AFTER_TYPES);
    } else if (is_system_emulator() && !find_release(release)) {
        _exit(complain());
    }
}

__attribute__((constructor)) static void on_load(void)
{
    const char *list = getenv("LD_PRELOAD");

    /* Without a part: what emulators of user programs take, at least so far. */
    qemu_plugin_version =
        dlsym(RTLD_DEFAULT, "qemu_plugin_scoreboard_new") ? 2 : 1;
    if (list && strstr(list, FRONT)) {
        on_preload();
        return;
    }
    if (!load_part() && is_system_emulator()) {
        /*
         * Now, because QEMU refuses a file without the right version before it
         * asks for qemu_plugin_install().
         */
        _exit(complain());
    }
}

EXPORT int qemu_plugin_install(uint64_t id, const struct plugin_info *info,
                               int argc, char **argv)
{
    (void)id;
    if (!info->system_emulation) {
        fail("needs a machine, not user emulation");
        return complain();
    }
    if (argc > 0) {
        fail("-plugin takes no argument ('%s'); properties go to -device "
             "kmemdump-md,...",
             argv[0]);
        return complain();
    }
    return register_types() ? 0 : complain();
}
