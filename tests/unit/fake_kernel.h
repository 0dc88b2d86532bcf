// SPDX-License-Identifier: GPL-2.0-or-later
//
// A small Linux kernel in the memory of a fake AArch64 guest: vmcoreinfo, page tables, kallsyms, BTF, a log
// and tasks, none of which it tells the controller about.
#pragma once

#include "btf_maker.h"
#include "fake_guest.h"

#include <cstdint>
#include <cstdio>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kmd::test
{

class FakeKernel
{
  public:
    static constexpr std::uint64_t kRam = 0x80000000;
    static constexpr std::uint64_t kRamSize = 0x2000000;
    /// Virtual minus physical addresses of the image, and of the linear map.
    static constexpr std::uint64_t kImage = 0xffff800000000000;
    static constexpr std::uint64_t kLinear = 0xfffeffff80000000;
    static constexpr std::uint64_t kVmcoreinfo = kRam + 0x1800000;
    static constexpr std::uint32_t kCpus = 2;

    /// `guest`: without RAM at kRam. `task_size`: what the types say of struct task_struct, in bytes.
    explicit FakeKernel(FakeGuest& guest, std::uint32_t task_size = 0x200)
        : guest_(guest), task_size_(task_size)
    {
        guest.add_ram(kRam, kRamSize);
        // A gibibyte of the image, by a block in the second level.
        put64(kRam + 0x10000 + 8 * 256, (kRam + 0x11000) | 3);
        put64(kRam + 0x11000 + 8 * 2, kRam | 1);
        variable("panic_cpu", 4, ~std::uint64_t{0});
        variable("system_state", 4, kRunning);
        variable("nr_cpu_ids", 4, kCpus);
        variable("__per_cpu_offset", 8 * kCpus, 0);
        variable("jiffies_64", 8, 4294937296);
        make_types();
        make_log();
        make_tasks();
    }

    static constexpr std::uint64_t kRunning = 3;
    static constexpr std::uint64_t kRestart = 6;

    /// Places the tables, once everything else is there.
    void finish()
    {
        if (with_types) {
            const auto btf = types.make();
            // A variable is taken to reach to the next symbol, up to 16 KiB.
            next_ += 0x10000;
            const std::uint64_t at = place("__start_BTF", btf.size());
            guest_.put(at - kImage, text_of(btf));
            symbols_[at + btf.size()] = "__stop_BTF";
            next_ += 0x1000;
        }
        place_symbols();
        put_vmcoreinfo();
    }

    /// Again, after finish(), if what it says has changed.
    void put_vmcoreinfo()
    {
        std::string text = "OSRELEASE=6.12.1-fake\nBUILD-ID=" + build_id +
                           "\nPAGESIZE=4096\n"
                           "SYMBOL(swapper_pg_dir)=ffff800080010000\nNUMBER(VA_BITS)=48\n"
                           "NUMBER(kimage_voffset)=0xffff800000000000\nNUMBER(PHYS_OFFSET)=0x80000000\n"
                           "NUMBER(TCR_EL1_T1SZ)=0x10\n" +
                           vmcoreinfo_ + more_vmcoreinfo;
        guest_.put(vmcoreinfo_at, text + std::string(1, '\0'));
    }

    /// Memory of a variable in the image; its address.
    std::uint64_t place(const std::string& name, std::uint64_t size)
    {
        const std::uint64_t at = next_;
        symbols_[at] = name;
        next_ += (size + 63) & ~std::uint64_t{63};
        return at;
    }

    void name(const std::string& name, std::uint64_t address) { symbols_[address] = name; }

    std::uint64_t variable(const std::string& name, std::uint64_t size, std::uint64_t value)
    {
        const std::uint64_t at = place(name, size);
        put64(at - kImage, value);
        return at;
    }

    /// Pages in the linear map, each of them far from the others; the address.
    std::uint64_t allocate(std::uint64_t pages)
    {
        const std::uint64_t at = heap_;
        heap_ += (pages + 1) * 0x1000;
        return at + kLinear;
    }

    std::uint64_t address(const std::string& name) const
    {
        for (const auto& [at, known] : symbols_) {
            if (known == name) {
                return at;
            }
        }
        return 0;
    }

    void set(const std::string& name, std::uint32_t value)
    {
        guest_.put(address(name) - kImage, {reinterpret_cast<const char*>(&value), sizeof(value)});
    }

    void put64(std::uint64_t phys, std::uint64_t value)
    {
        guest_.put(phys, {reinterpret_cast<const char*>(&value), sizeof(value)});
    }
    /// By an address in the linear map.
    void put64_at(std::uint64_t virt, std::uint64_t value) { put64(virt - kLinear, value); }

    /// A task of its own process behind the last one; its address.
    std::uint64_t add_task(const char* name)
    {
        const std::uint64_t task = allocate(1);
        const std::uint64_t stack = allocate(4);
        const std::uint64_t signal = allocate(1);
        const auto at = [&](std::uint64_t offset) { return task - kLinear + offset; };
        put64(at(kStack), stack);
        put64(at(kSignal), signal);
        put64(at(kThreadNode), signal + kThreadHead);
        put64_at(signal + kThreadHead, task + kThreadNode);
        guest_.put(at(kComm), name);
        // last <-> task <-> init_task
        put64(at(kTasks), init_task_ + kTasks);
        put64(last_task_phys_ + kTasks, task + kTasks);
        last_task_phys_ = task - kLinear;
        return task;
    }

    /// Exports symbols to modules.
    void place_exports(const std::vector<std::string>& names)
    {
        const std::uint64_t table = place("__ksymtab", 12 * names.size());
        const std::uint64_t strings = place("__ksymtab_strings", 64 * names.size());
        for (std::size_t i = 0; i < names.size(); ++i) {
            const std::uint64_t entry = table + 12 * i;
            // Behind a zero.
            const std::uint64_t name = strings + 64 * i + 1;
            guest_.put(name - kImage, names[i]);
            put_offset(entry, address(names[i]));
            put_offset(entry + 4, name);
        }
    }

    static constexpr std::uint32_t kTasks = 0x40;
    static constexpr std::uint32_t kStack = 0x20;
    static constexpr std::uint32_t kSignal = 0x80;
    static constexpr std::uint32_t kThreadNode = 0x90;
    static constexpr std::uint32_t kComm = 0xa0;
    static constexpr std::uint32_t kThreadHead = 0x10;
    static constexpr std::uint32_t kFiles = 0xb0;
    static constexpr std::uint32_t kSpace = 0xb8;

    BtfMaker types;
    bool with_types = true;
    std::string build_id = "0123456789abcdef0123456789abcdef01234567";
    bool with_data_symbols = true;
    /// Further symbols, with names of 30 characters.
    unsigned more_symbols = 0;
    std::uint64_t vmcoreinfo_at = kVmcoreinfo;
    /// Further lines.
    std::string more_vmcoreinfo;
    /// Where the text of the log is; in the linear map.
    std::uint64_t log_at = 0;
    static constexpr std::string_view kLog = "[    0.000000] Booting Linux";

  private:
    static std::string_view text_of(std::span<const std::byte> bytes)
    {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

    void make_types()
    {
        const auto pointer = types.pointer();
        const auto number = types.integer(4);
        const auto list = types.structure("list_head", 16, {{"next", pointer, 0}, {"prev", pointer, 8}});
        const auto name = types.array(types.integer(1), 16);
        types.structure("task_struct", task_size_,
                        {{"stack", pointer, kStack},
                         {"tasks", list, kTasks},
                         {"pid", number, 0x60},
                         {"signal", pointer, kSignal},
                         {"thread_node", list, kThreadNode},
                         {"comm", name, kComm},
                         {"files", pointer, kFiles},
                         {"mm", pointer, kSpace}});
        types.structure("signal_struct", 0x100, {{"thread_head", list, kThreadHead}});
        types.enumeration("system_states", {{"SYSTEM_RUNNING", 3},
                                            {"SYSTEM_HALT", 4},
                                            {"SYSTEM_POWER_OFF", 5},
                                            {"SYSTEM_RESTART", static_cast<std::int32_t>(kRestart)}});
    }

    /// struct printk_ringbuffer, with the layout that the text describes.
    void make_log()
    {
        const std::uint64_t ring = place("printk_rb_static", 128);
        const std::uint64_t descriptors = allocate(1);
        const std::uint64_t infos = allocate(1);
        const std::uint64_t text = allocate(1);
        const std::uint64_t prb = variable("prb", 8, ring);
        put64(ring - kImage, 4); // count_bits
        put64(ring - kImage + 8, descriptors);
        put64(ring - kImage + 16, infos);
        put64(ring - kImage + 40, 12); // size_bits
        put64(ring - kImage + 48, text);
        guest_.put(text - kLinear, kLog);
        log_at = text;
        char line[64];
        std::snprintf(line, sizeof(line), "SYMBOL(prb)=%llx\n", static_cast<unsigned long long>(prb));
        vmcoreinfo_ += line;
        vmcoreinfo_ += "SIZE(printk_ringbuffer)=80\nSIZE(prb_desc_ring)=40\nSIZE(prb_data_ring)=32\n"
                       "SIZE(atomic_long_t)=8\nOFFSET(atomic_long_t.counter)=0\n"
                       "OFFSET(printk_ringbuffer.desc_ring)=0\nOFFSET(printk_ringbuffer.text_data_ring)=40\n"
                       "OFFSET(prb_desc_ring.count_bits)=0\nOFFSET(prb_desc_ring.descs)=8\n"
                       "OFFSET(prb_desc_ring.infos)=16\nOFFSET(prb_desc_ring.head_id)=24\n"
                       "OFFSET(prb_desc_ring.tail_id)=32\nOFFSET(prb_data_ring.size_bits)=0\n"
                       "OFFSET(prb_data_ring.data)=8\nSIZE(prb_desc)=24\nOFFSET(prb_desc.state_var)=0\n"
                       "OFFSET(prb_desc.text_blk_lpos)=8\nSIZE(prb_data_blk_lpos)=16\n"
                       "OFFSET(prb_data_blk_lpos.begin)=0\nOFFSET(prb_data_blk_lpos.next)=8\n"
                       "SIZE(printk_info)=88\nOFFSET(printk_info.seq)=0\nOFFSET(printk_info.ts_nsec)=8\n"
                       "OFFSET(printk_info.text_len)=16\nOFFSET(printk_info.caller_id)=20\n";
    }

    void make_tasks()
    {
        init_task_ = place("init_task", 0x200);
        const std::uint64_t phys = init_task_ - kImage;
        last_task_phys_ = phys;
        put64(phys + kTasks, init_task_ + kTasks);
        put64(phys + kStack, allocate(4));
        guest_.put(phys + kComm, "swapper/0");
    }

    /// Names of one-character tokens, and offsets from the first symbol.
    void place_symbols()
    {
        std::map<std::uint64_t, std::string> named = {{kImage + kRam + 0x200000, "_text"},
                                                      {kImage + kRam + 0x200100, "panic"},
                                                      {kImage + kRam + 0x200200, "_etext"}};
        if (with_data_symbols) {
            named.insert(symbols_.begin(), symbols_.end());
        }
        for (unsigned i = 0; i < more_symbols; ++i) {
            char name[32];
            std::snprintf(name, sizeof(name), "symbol_%023u", i);
            named.emplace(kImage + kRam + 0x3000000 + i, name);
        }
        const std::uint64_t base = named.begin()->first;
        std::string names;
        std::string offsets;
        for (const auto& [at, name] : named) {
            names += static_cast<char>(name.size() + 1);
            names += "T" + name;
            const auto offset = static_cast<std::uint32_t>(at - base);
            offsets.append(reinterpret_cast<const char*>(&offset), sizeof(offset));
        }
        std::string tokens;
        std::string index;
        for (unsigned token = 0; token < 256; ++token) {
            const auto at = static_cast<std::uint16_t>(tokens.size());
            index.append(reinterpret_cast<const char*>(&at), sizeof(at));
            tokens += std::string(1, static_cast<char>(token == 0 ? 1 : token)) + '\0';
        }
        const auto count = static_cast<std::uint32_t>(named.size());
        put_table("kallsyms_num_syms", {reinterpret_cast<const char*>(&count), sizeof(count)});
        put_table("kallsyms_names", names);
        put_table("kallsyms_token_table", tokens);
        put_table("kallsyms_token_index", index);
        put_table("kallsyms_offsets", offsets);
        put_table("kallsyms_relative_base", {reinterpret_cast<const char*>(&base), sizeof(base)});
    }

    void put_offset(std::uint64_t at, std::uint64_t to)
    {
        const auto offset = static_cast<std::int32_t>(to - at);
        guest_.put(at - kImage, {reinterpret_cast<const char*>(&offset), sizeof(offset)});
    }

    void put_table(const char* name, std::string_view bytes)
    {
        const std::uint64_t at = place(name, bytes.size());
        guest_.put(at - kImage, bytes);
        char line[80];
        std::snprintf(line, sizeof(line), "SYMBOL(%s)=%llx\n", name, static_cast<unsigned long long>(at));
        vmcoreinfo_ += line;
    }

    FakeGuest& guest_;
    std::uint32_t task_size_;
    std::string vmcoreinfo_;
    std::map<std::uint64_t, std::string> symbols_;
    std::uint64_t next_ = kImage + kRam + 0x400000;
    std::uint64_t heap_ = kRam + 0x1000000;
    std::uint64_t init_task_ = 0;
    std::uint64_t last_task_phys_ = 0;
};

} // namespace kmd::test
