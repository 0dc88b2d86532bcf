// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/linux/printk_layout.h"

#include <string>
#include <string_view>

namespace kmd
{

namespace
{

constexpr std::uint64_t kLargestStructure = 65536;

/// Looks entries up and keeps an error for the first one that is missing or invalid.
class Lookup
{
  public:
    explicit Lookup(const Vmcoreinfo& vmcoreinfo) : vmcoreinfo_(vmcoreinfo) {}

    std::uint64_t symbol(const std::string& name)
    {
        return checked("SYMBOL(" + name + ")", vmcoreinfo_.symbol("SYMBOL(" + name + ")"), ~std::uint64_t{0});
    }

    std::uint64_t size(const std::string& name)
    {
        const std::string key = "SIZE(" + name + ")";
        return checked(key, vmcoreinfo_.number(key), kLargestStructure);
    }

    /// The offset of a field of `width` bytes, which must fit in `structure_size`.
    std::uint64_t offset(const std::string& field, std::uint64_t width, std::uint64_t structure_size)
    {
        const std::string key = "OFFSET(" + field + ")";
        return checked(key, vmcoreinfo_.number(key), structure_size < width ? 0 : structure_size - width);
    }

    const std::optional<Error>& error() const { return error_; }

  private:
    std::uint64_t checked(const std::string& key, std::optional<std::uint64_t> value, std::uint64_t most)
    {
        if (value && *value <= most) {
            return *value;
        }
        if (!error_) {
            error_ = Error{"expected " + key + " in the VMCOREINFO note, found " +
                           (value ? "an impossible value" : "none")};
        }
        return 0;
    }

    const Vmcoreinfo& vmcoreinfo_;
    std::optional<Error> error_;
};

} // namespace

Result<PrintkLayout> find_printk_layout(const Vmcoreinfo& vmcoreinfo)
{
    Lookup look(vmcoreinfo);
    PrintkLayout layout;
    layout.prb_pointer = look.symbol("prb");

    const std::uint64_t ring_buffer = look.size("printk_ringbuffer");
    layout.ring_size = ring_buffer;
    const std::uint64_t desc_ring_size = look.size("prb_desc_ring");
    const std::uint64_t data_ring_size = look.size("prb_data_ring");
    const std::uint64_t counter = look.offset("atomic_long_t.counter", 8, look.size("atomic_long_t"));

    const std::uint64_t desc_ring = look.offset("printk_ringbuffer.desc_ring", desc_ring_size, ring_buffer);
    layout.count_bits = desc_ring + look.offset("prb_desc_ring.count_bits", 4, desc_ring_size);
    layout.descs = desc_ring + look.offset("prb_desc_ring.descs", 8, desc_ring_size);
    layout.infos = desc_ring + look.offset("prb_desc_ring.infos", 8, desc_ring_size);
    layout.head_id = desc_ring + look.offset("prb_desc_ring.head_id", counter + 8, desc_ring_size) + counter;
    layout.tail_id = desc_ring + look.offset("prb_desc_ring.tail_id", counter + 8, desc_ring_size) + counter;

    const std::uint64_t data_ring =
        look.offset("printk_ringbuffer.text_data_ring", data_ring_size, ring_buffer);
    layout.size_bits = data_ring + look.offset("prb_data_ring.size_bits", 4, data_ring_size);
    layout.text_data = data_ring + look.offset("prb_data_ring.data", 8, data_ring_size);

    layout.desc_size = look.size("prb_desc");
    const std::uint64_t block_size = look.size("prb_data_blk_lpos");
    layout.state = look.offset("prb_desc.state_var", counter + 8, layout.desc_size) + counter;
    const std::uint64_t block = look.offset("prb_desc.text_blk_lpos", block_size, layout.desc_size);
    layout.begin = block + look.offset("prb_data_blk_lpos.begin", 8, block_size);
    layout.next = block + look.offset("prb_data_blk_lpos.next", 8, block_size);

    layout.info_size = look.size("printk_info");
    layout.seq = look.offset("printk_info.seq", 8, layout.info_size);
    layout.time = look.offset("printk_info.ts_nsec", 8, layout.info_size);
    layout.text_length = look.offset("printk_info.text_len", 2, layout.info_size);
    layout.caller = look.offset("printk_info.caller_id", 4, layout.info_size);
    // vmcoreinfo lacks the level. In struct printk_info since Linux 5.10 it shares a byte with the flags,
    // between the facility and the caller.
    if (layout.caller == layout.text_length + 4) {
        layout.facility = layout.text_length + 2;
        layout.level = layout.text_length + 3;
    }

    if (look.error()) {
        return *look.error();
    }
    return layout;
}

} // namespace kmd
