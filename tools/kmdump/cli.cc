// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli.h"

#include "cmd_info.h"
#include "cmd_log.h"
#include "cmd_receive.h"
#include "cmd_run.h"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace kmdump
{

namespace
{

CLI::App* add_run(CLI::App& app, RunOptions& options)
{
    CLI::App* const run = app.add_subcommand("run", "Run a kernel in QEMU until it ends or crashes");
    run->footer(
        "What stands behind -- is passed on to QEMU.\n"
        "Exit status: 0 no crash, 3 crashed with a dump, 4 crashed without, 5 time-out, 6 QEMU error");
    run->add_option("--kernel", options.kernel, "Image of the kernel")->required()->type_name("FILE");
    run->add_option("--initrd", options.initrd, "Initial RAM disk")->type_name("FILE");
    run->add_option("--append", options.append, "Added to the kernel command line")->type_name("TEXT");
    run->add_option("--cpus", options.cpus, "How many CPUs")
        ->capture_default_str()
        ->check(CLI::Range(1, 512))
        ->type_name("N");
    run->add_option("--cpu", options.cpu, "Model of the CPUs")->capture_default_str()->type_name("MODEL");
    run->add_option("--memory", options.memory, "RAM of the guest")->capture_default_str()->type_name("SIZE");
    run->add_option("--timeout", options.timeout, "End the guest after so many seconds, with a dump")
        ->check(CLI::Range(1, 1000000000))
        ->type_name("SECONDS");
    run->add_option("--output", options.output, "Folder for dumps and logs, instead of a new one")
        ->type_name("FOLDER");
    run->add_option("--properties", options.properties, "Of the controller, such as compress=zstd")
        ->type_name("NAME=VALUE,...");
    run->add_option("--qemu", options.qemu, "qemu-system-aarch64, instead of that in PATH")
        ->type_name("FILE");
    run->add_option("--plugin", options.plugin, "kmemdump-md.so, instead of that of the build")
        ->type_name("FILE");
    run->add_flag("--quiet", options.quiet, "Show no console; its log has it");
    run->add_flag("--json", options.json, "Show no console, and write what happened as JSON");
    run->add_option("QEMU_OPTION", options.qemu_options, "Options of QEMU, behind --");
    return run;
}

} // namespace

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err)
{
    CLI::App app("Reads core images of Linux guests, minidumps above all.", "kmdump");
    app.require_subcommand(1);

    InfoOptions info_options;
    CLI::App* const info = app.add_subcommand("info", "Say what a dump is of, and why it was taken");
    info->add_option("DUMP", info_options.path, "ELF core image")->required();
    info->add_flag("--json", info_options.json, "Write JSON");

    LogOptions log_options;
    std::uint64_t last = 0;
    CLI::App* const log = app.add_subcommand("log", "Print the guest's kernel log; needs no vmlinux");
    log->add_option("DUMP", log_options.path, "ELF core image")->required();
    const CLI::Option* const last_option =
        log->add_option("--last", last, "Only the newest N records; one can have several lines")
            ->type_name("N")
            ->check(CLI::NonNegativeNumber);
    log->add_flag("--caller", log_options.caller, "Show the thread (T) or CPU (C) behind each record");
    log->add_flag("--json", log_options.json, "Write JSON");

    ReceiveOptions receive_options;
    CLI::App* const receive =
        app.add_subcommand("receive", "Collect the dumps that QEMU sends over a chardev");
    receive->add_option("FOLDER", receive_options.folder, "Where to store them")->required();
    receive->add_option("--listen", receive_options.socket,
                        "Path of a socket to make, or HOST:PORT; otherwise dumps come on standard input");

    RunOptions run_options;
    CLI::App* const run = add_run(app, run_options);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error, out, err) == 0 ? kOk : kUsageError;
    }

    if (run->parsed()) {
        return run_guest(run_options, out, err);
    }
    std::optional<kmd::Error> error;
    if (info->parsed()) {
        error = print_info(info_options, out);
    } else if (receive->parsed()) {
        error = receive_dumps(receive_options, out);
    } else {
        if (last_option->count() > 0) {
            log_options.last = last;
        }
        error = print_log(log_options, out);
    }
    out.flush();
    if (error) {
        const std::string input = receive_options.socket.empty() ? "standard input" : receive_options.socket;
        const std::string& path = info->parsed()      ? info_options.path
                                  : receive->parsed() ? input
                                                      : log_options.path;
        err << "kmdump: " << path << ": " << error->what << "\n";
        return kDumpError;
    }
    if (!out) {
        err << "kmdump: standard output: expected to write everything, could not\n";
        return kDumpError;
    }
    return kOk;
}

} // namespace kmdump
