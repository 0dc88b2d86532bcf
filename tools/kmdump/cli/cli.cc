// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cli.h"

#include "common/result.h"
#include "kmdump/cli/cmd_bt.h"
#include "kmdump/cli/cmd_cpus.h"
#include "kmdump/cli/cmd_diff.h"
#include "kmdump/cli/cmd_info.h"
#include "kmdump/cli/cmd_log.h"
#include "kmdump/cli/cmd_memory.h"
#include "kmdump/cli/cmd_modules.h"
#include "kmdump/cli/cmd_print.h"
#include "kmdump/cli/cmd_receive.h"
#include "kmdump/cli/cmd_regions.h"
#include "kmdump/cli/cmd_report.h"
#include "kmdump/cli/cmd_run.h"
#include "kmdump/cli/cmd_tasks.h"
#include "kmdump/cli/cmd_types.h"
#include "kmdump/cli/cmd_verify.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

namespace
{

/// The commands and their options.
class Commands
{
  public:
    Commands(CLI::App& app, const Style& style, std::ostream& out, std::ostream& err)
        : app_(app), style_(style), out_(out), err_(err)
    {
        app_.add_flag("--json", json_, "Write JSON; the same as after the command");
        add_info();
        add_regions();
        add_log();
        add_cpus();
        add_tasks();
        add_bt();
        add_modules();
        add_memory();
        add_print();
        add_types();
        add_verify();
        add_diff();
        add_report();
        add_receive();
        add_run();
    }

    /// Runs the command that the command line selected. Returns the exit status.
    kmd::Result<int> run() const { return run_(); }

    /// The file that error messages name; empty: standard input.
    const std::string& input() const { return input_; }

  private:
    template <class Options> CLI::App* add(const char* name, const char* description, Options& options)
    {
        CLI::App* const command = app_.add_subcommand(name, description);
        command->add_flag("--json", options.json, "Write JSON");
        json_options_.push_back(&options.json);
        return command;
    }

    template <class Options> CLI::App* add_reader(const char* name, const char* description, Options& options)
    {
        CLI::App* const command = add(name, description, options);
        command->add_option("DUMP", options.path, "ELF core image")->required();
        return command;
    }

    static void add_vmlinux(CLI::App* command, std::string& path)
    {
        command->add_option("--vmlinux", path, "Take symbols and types from this file, not from the dump")
            ->type_name("FILE");
    }

    static kmd::Result<int> status(const std::optional<kmd::Error>& error)
    {
        return error ? kmd::Result<int>(*error) : kOk;
    }

    static kmd::Result<int> status(const kmd::Result<bool>& good)
    {
        return good ? kmd::Result<int>(good.value() ? kOk : kDumpError) : good.error();
    }

    void on(CLI::App* command, const std::string& input, std::function<kmd::Result<int>()> run)
    {
        command->callback([this, &input, run = std::move(run)] {
            for (bool* const json : json_options_) {
                *json = *json || json_;
            }
            input_ = input;
            run_ = run;
        });
    }

    void add_info()
    {
        CLI::App* const command = add_reader("info", "Show kernel, CPUs, memory and panic of a dump", info_);
        on(command, info_.path, [this] { return status(print_info(info_, style_, out_)); });
    }

    void add_regions()
    {
        CLI::App* const command = add_reader("regions", "List the memory in a dump", regions_);
        on(command, regions_.path, [this] { return status(print_regions(regions_, style_, out_)); });
    }

    void add_log()
    {
        CLI::App* const command = add_reader("log", "Print the guest's kernel log; needs no vmlinux", log_);
        const CLI::Option* const last =
            command->add_option("--last", last_, "Only the newest N records; a record can have several lines")
                ->type_name("N")
                ->check(CLI::NonNegativeNumber);
        command->add_flag("--caller", log_.caller, "Show the thread (T) or CPU (C) that wrote each record");
        on(command, log_.path, [this, last] {
            if (last->count() > 0) {
                log_.last = last_;
            }
            return status(print_log(log_, out_));
        });
    }

    void add_cpus()
    {
        CLI::App* const command =
            add_reader("cpus", "Show the registers and the backtrace of every CPU", cpus_);
        add_vmlinux(command, cpus_.vmlinux);
        on(command, cpus_.path, [this] { return status(print_cpus(cpus_, style_, out_)); });
    }

    void add_tasks()
    {
        CLI::App* const command = add_reader("tasks", "List the tasks, as ps does", tasks_);
        command->add_flag("--stack", tasks_.stack, "Show the backtrace of each task that sleeps");
        add_vmlinux(command, tasks_.vmlinux);
        on(command, tasks_.path, [this] { return status(print_tasks(tasks_, style_, out_)); });
    }

    void add_bt()
    {
        CLI::App* const command = add_reader("bt", "Show the backtrace of a task or a CPU", bt_);
        command->add_option("WHOSE", bt_.owner, "A PID, or a CPU such as cpu0")
            ->required()
            ->check([](const std::string& text) {
                return parse_backtrace_owner(text) ? std::string()
                                                   : "expected a PID, or a CPU such as cpu0, found " + text;
            });
        add_vmlinux(command, bt_.vmlinux);
        on(command, bt_.path, [this] { return status(print_bt(bt_, style_, out_)); });
    }

    void add_modules()
    {
        CLI::App* const command = add_reader("modules", "List the kernel modules", modules_);
        on(command, modules_.path, [this] { return status(print_modules(modules_, style_, out_)); });
    }

    void add_memory()
    {
        CLI::App* const command = add_reader("memory", "Show bytes of the kernel's memory", memory_);
        command->add_option("WHERE", memory_.where, "0xADDRESS or SYMBOL, either with +BYTES")->required();
        command->add_option("--length", memory_.length, "Number of bytes")
            ->type_name("BYTES")
            ->capture_default_str()
            ->check(CLI::Range(std::uint64_t{1}, kLongestMemory));
        command->add_flag("--physical", memory_.physical, "The address is a physical one");
        add_vmlinux(command, memory_.vmlinux);
        on(command, memory_.path, [this] { return status(print_memory(memory_, out_)); });
    }

    void add_print()
    {
        CLI::App* const command = add_reader("print", "Show a variable or structure of the kernel", print_);
        command
            ->add_option("VALUE", print_.expression,
                         "SYMBOL or 0xADDRESS, then any of .MEMBER, ->MEMBER and [NUMBER]; * in front "
                         "follows a pointer")
            ->required()
            ->check([](const std::string& text) {
                const auto path = parse_value_path(text);
                return path ? std::string() : path.error().what;
            });
        command->add_option("--type", print_.type, "Type of SYMBOL or 0xADDRESS, such as task_struct")
            ->type_name("TYPE");
        command->add_option("--cpu", print_.cpu, "Whose instance of a per-CPU variable")->type_name("N");
        add_vmlinux(command, print_.vmlinux);
        on(command, print_.path, [this] { return status(print_value(print_, style_, out_)); });
    }

    void add_types()
    {
        CLI::App* const command = add_reader("types", "Write the types of the kernel as a BTF file", types_);
        command->add_option("-o,--output", types_.output, "File to create, for bpftool and others")
            ->type_name("FILE")
            ->required();
        command->add_option("--module", types_.module, "A module of the kernel, whose types to write instead")
            ->type_name("NAME");
        on(command, types_.path, [this] { return status(write_types(types_, out_)); });
    }

    void add_verify()
    {
        CLI::App* const command = add_reader(
            "verify", "Check a dump and its sidecar; exit status 1 if something is wrong", verify_);
        on(command, verify_.path, [this] { return status(verify(verify_, style_, out_)); });
    }

    void add_diff()
    {
        CLI::App* const command =
            add_reader("diff", "Compare two dumps; exit status 1 if they differ", diff_);
        command->add_option("OTHER", diff_.other, "Another ELF core image")->required();
        on(command, diff_.path, [this] { return status(print_diff(diff_, style_, out_)); });
    }

    void add_receive()
    {
        CLI::App* const command =
            add("receive", "Collect the dumps that QEMU sends over a chardev", receive_);
        command->add_option("FOLDER", receive_.folder, "Where to store them")->required();
        command
            ->add_option("--listen", receive_.socket,
                         "Path of a socket to create, or HOST:PORT; without it, read standard input")
            ->type_name("WHERE");
        const auto limit = [command](const char* name, auto& value, const char* type, const char* text) {
            return command->add_option(name, value, text)->type_name(type)->capture_default_str();
        };
        limit("--max-bytes", receive_.limits.dump_bytes, "BYTES", "Maximum of one dump");
        limit("--max-total", receive_.limits.total_bytes, "BYTES",
              "Maximum of all dumps, each counted as at least 1 MiB");
        limit("--connections", receive_.connections, "N", "Maximum number of senders at one time")
            ->check(CLI::Range(1, 4096));
        limit("--silence", silence_, "SECONDS", "How long a sender may be silent within a dump")
            ->check(CLI::Range(1, 86400));
        limit("--dump-time", dump_time_, "SECONDS", "How long a dump may take")->check(CLI::Range(1, 86400));
        on(command, receive_.socket, [this] {
            receive_.limits.silence = std::chrono::seconds(silence_);
            receive_.limits.dump_time = std::chrono::seconds(dump_time_);
            return status(receive_dumps(receive_, out_));
        });
    }

    void add_report()
    {
        CLI::App* const command =
            add_reader("report", "Write everything in a dump as one HTML page", report_);
        command->add_option("-o,--output", report_.output, "File for the page; without it, standard output")
            ->type_name("FILE");
        command
            ->add_option("--vmlinux", report_.vmlinux, "vmlinux of the dump's kernel, needed to list tasks")
            ->type_name("FILE");
        on(command, report_.path, [this] { return status(write_report(report_, out_)); });
    }

    void add_run()
    {
        CLI::App* const command = add("run", "Run a kernel in QEMU until it ends or crashes", run_options_);
        command->footer(
            "Arguments after -- are passed on to QEMU.\n"
            "Exit status: 0 no crash, 3 crashed with a dump, 4 crashed without, 5 time-out, 6 QEMU error");
        const auto option = [command](const char* name, auto& value, const char* type, const char* text) {
            return command->add_option(name, value, text)->type_name(type);
        };
        option("--kernel", run_options_.kernel, "FILE", "Kernel image")->required();
        option("--initrd", run_options_.initrd, "FILE", "Initial RAM disk");
        option("--append", run_options_.append, "TEXT", "Added to the kernel command line");
        option("--cpus", run_options_.cpus, "N", "Number of CPUs")
            ->capture_default_str()
            ->check(CLI::Range(1, 512));
        option("--cpu", run_options_.cpu, "MODEL", "Model of the CPUs; default: one of the architecture");
        option("--arch", run_options_.architecture, "ARCH",
               "aarch64, x86_64 or riscv64; default: what the kernel's header says");
        option("--memory", run_options_.memory, "SIZE", "RAM of the guest")->capture_default_str();
        option("--timeout", run_options_.timeout, "SECONDS", "End the guest after this time, with a dump")
            ->check(CLI::Range(1, 1000000000));
        option("--output", run_options_.output, "FOLDER", "For dumps and logs; without it, a new one");
        option("--properties", run_options_.properties, "NAME=VALUE,...",
               "Properties of the controller, such as compress=zstd");
        option("--qemu", run_options_.qemu, "FILE",
               "QEMU's program for the architecture, instead of the one in PATH");
        option("--plugin", run_options_.plugin, "FILE",
               "kmemdump-md.so, instead of the one in the build or the installation");
        command->add_flag("--quiet", run_options_.quiet,
                          "Do not show the console; it is in the log. Implied by --json");
        command->add_option("QEMU_OPTION", run_options_.qemu_options, "QEMU options, after --");
        on(command, run_options_.kernel,
           [this] { return kmd::Result<int>(run_guest(run_options_, out_, err_)); });
    }

    CLI::App& app_;
    const Style& style_;
    std::ostream& out_;
    std::ostream& err_;
    bool json_ = false;
    std::vector<bool*> json_options_; // of every command
    InfoOptions info_;
    LogOptions log_;
    std::uint64_t last_ = 0;
    CpusOptions cpus_;
    TasksOptions tasks_;
    BtOptions bt_;
    ModulesOptions modules_;
    MemoryOptions memory_;
    PrintOptions print_;
    TypesOptions types_;
    RegionsOptions regions_;
    VerifyOptions verify_;
    DiffOptions diff_;
    ReceiveOptions receive_;
    int silence_ = 60;
    int dump_time_ = 900;
    ReportOptions report_;
    RunOptions run_options_;
    std::string input_;
    std::function<kmd::Result<int>()> run_;
};

} // namespace

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err, const Style& style)
{
    CLI::App app("Reads core images of Linux guests, minidumps above all.", "kmdump");
    app.require_subcommand(1);
    const Commands commands(app, style, out, err);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error, out, err) == 0 ? kOk : kUsageError;
    }
    const kmd::Result<int> status = commands.run();
    out.flush();
    if (!status) {
        err << "kmdump: " << (commands.input().empty() ? "standard input" : commands.input()) << ": "
            << status.error().what << "\n";
        return kDumpError;
    }
    if (!out) {
        err << "kmdump: standard output: expected to write everything, could not\n";
        return kDumpError;
    }
    return status.value();
}

} // namespace kmdump
