// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/typed_value.h"

#include "common/little_endian.h"

#include <bpf/btf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace kmdump
{

namespace
{

/// Typedefs and qualifiers of one type; nested structures, arrays and pointers.
constexpr unsigned kDeepest = 32;
/// Of a text in an array of characters.
constexpr std::size_t kLongestText = 4096;
constexpr std::uint64_t kPointerBytes = 8;

const btf_type* type_at(const Types& types, std::uint32_t id)
{
    return btf__type_by_id(types.handle.get(), id);
}

std::string name_at(const Types& types, std::uint32_t offset)
{
    return btf_name(types.handle.get(), offset);
}

bool is_character(const Types& types, std::uint32_t id)
{
    const btf_type* const type = type_at(types, id);
    return type != nullptr && btf_is_int(type) && type->size == 1 && name_at(types, type->name_off) == "char";
}

std::int64_t sign_extend(std::uint64_t value, unsigned bits)
{
    const unsigned unused = 64 - bits;
    return static_cast<std::int64_t>(value << unused) >> unused;
}

class Reader
{
  public:
    Reader(const Types& types, const kmd::VirtualMemory& memory) : types_(types), memory_(memory) {}

    TypedValue read(const ValuePlace& place, std::string name, unsigned depth)
    {
        TypedValue value;
        value.name = std::move(name);
        value.type = type_name(types_, place.type);
        values_left_ -= std::min<std::uint64_t>(values_left_, 1);
        const std::uint32_t id = plain_type(types_, place.type);
        const btf_type* const type = type_at(types_, id);
        if (id == 0 || type == nullptr || depth > kDeepest) {
            return value;
        }
        if (btf_is_composite(type)) {
            read_members(value, type, place.address, depth);
        } else if (btf_is_array(type)) {
            read_elements(value, *btf_array(type), place.address, depth);
        } else {
            read_leaf(value, type, place);
        }
        return value;
    }

  private:
    void read_members(TypedValue& value, const btf_type* type, std::uint64_t address, unsigned depth)
    {
        value.kind = TypedValue::Kind::kMembers;
        const btf_member* const members = btf_members(type);
        const std::uint32_t count = btf_vlen(type);
        for (std::uint32_t i = 0; i < count; ++i) {
            if (values_left_ == 0) {
                value.left_out = count - i;
                return;
            }
            const std::uint32_t offset = btf_member_bit_offset(type, i);
            ValuePlace place{address + offset / 8, members[i].type, 0, 0};
            if (const std::uint32_t bits = btf_member_bitfield_size(type, i)) {
                place.bits = bits;
                place.first_bit = offset % 8;
            }
            value.parts.push_back(read(place, name_at(types_, members[i].name_off), depth + 1));
        }
    }

    void read_elements(TypedValue& value, const struct btf_array& array, std::uint64_t address,
                       unsigned depth)
    {
        if (is_character(types_, plain_type(types_, array.type))) {
            read_text(value, array.nelems, address);
            return;
        }
        value.kind = TypedValue::Kind::kElements;
        const std::uint64_t size = type_size(types_, array.type);
        for (std::uint64_t i = 0; i < array.nelems; ++i) {
            if (i == kMostElements || values_left_ == 0 || size == 0) {
                value.left_out = array.nelems - i;
                return;
            }
            value.parts.push_back(read({address + size * i, array.type, 0, 0}, "", depth + 1));
        }
    }

    /// Up to its end, or the end of what the dump has.
    void read_text(TypedValue& value, std::size_t size, std::uint64_t address)
    {
        std::vector<std::byte> bytes(std::min({size, kLongestText, text_left_}));
        text_left_ -= bytes.size();
        bytes.resize(memory_.read_some(address, bytes));
        if (bytes.empty() && size > 0) {
            return;
        }
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        value.leaf = std::string(text.substr(0, text.find('\0')));
    }

    void read_leaf(TypedValue& value, const btf_type* type, const ValuePlace& place)
    {
        const auto number = read_number(place, btf_is_ptr(type) ? kPointerBytes : type->size);
        if (!number) {
            return;
        }
        const unsigned bits = place.bits > 0 ? place.bits : 8 * static_cast<unsigned>(type->size);
        if (btf_is_ptr(type)) {
            value.leaf = Pointer{*number};
        } else if (btf_is_int(type)) {
            set_integer(value, *number, bits, btf_int_encoding(type));
        } else if (btf_is_any_enum(type)) {
            set_enumerator(value, type, *number, bits);
        }
    }

    static void set_integer(TypedValue& value, std::uint64_t number, unsigned bits, unsigned encoding)
    {
        if ((encoding & BTF_INT_BOOL) != 0) {
            value.leaf = number != 0;
        } else if ((encoding & BTF_INT_SIGNED) != 0) {
            value.leaf = sign_extend(number, bits);
        } else {
            value.leaf = number;
        }
    }

    /// The number itself if no enumerator has it.
    void set_enumerator(TypedValue& value, const btf_type* type, std::uint64_t number, unsigned bits)
    {
        const bool is_signed = btf_kflag(type);
        const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
        for (std::uint32_t i = 0; i < btf_vlen(type) && enumerators_left_ > 0; ++i) {
            --enumerators_left_;
            const bool is_wide = btf_is_enum64(type);
            const std::uint64_t known = is_wide ? btf_enum64_value(&btf_enum64(type)[i])
                                                : static_cast<std::uint32_t>(btf_enum(type)[i].val);
            if ((known & mask) == number) {
                value.leaf =
                    name_at(types_, is_wide ? btf_enum64(type)[i].name_off : btf_enum(type)[i].name_off);
                return;
            }
        }
        set_integer(value, number, bits, is_signed ? BTF_INT_SIGNED : 0);
    }

    /// None if the dump does not have it, or if it is no number of up to 64 bits.
    std::optional<std::uint64_t> read_number(const ValuePlace& place, std::uint64_t size) const
    {
        constexpr unsigned kMostBits = 64;
        const unsigned last_bit = place.first_bit + place.bits;
        size = place.bits > 0 ? (last_bit + 7) / 8 : size;
        std::array<std::byte, 16> bytes{};
        const std::size_t most = place.bits > 0 ? 9 : sizeof(std::uint64_t);
        if (size == 0 || size > most || place.bits > kMostBits ||
            !memory_.read(place.address, std::span(bytes).first(size))) {
            return std::nullopt;
        }
        const auto low = kmd::load<std::uint64_t>(bytes, 0);
        if (place.bits == 0) {
            return low;
        }
        const auto high = kmd::load<std::uint64_t>(bytes, sizeof(low));
        const std::uint64_t value =
            place.first_bit == 0 ? low : low >> place.first_bit | high << (kMostBits - place.first_bit);
        return place.bits == kMostBits ? value : value & ((std::uint64_t{1} << place.bits) - 1);
    }

    const Types& types_;
    const kmd::VirtualMemory& memory_;
    std::uint64_t values_left_ = kMostValues;
    /// Bytes of texts, and enumerators to compare with. All of them together.
    std::size_t text_left_ = 1 << 20;
    std::uint32_t enumerators_left_ = 2'000'000;
};

} // namespace

TypedValue read_value(const Types& types, const kmd::VirtualMemory& memory, const ValuePlace& place)
{
    return Reader(types, memory).read(place, "", 0);
}

std::uint64_t type_size(const Types& types, std::uint32_t type)
{
    std::uint64_t count = 1;
    for (unsigned depth = 0; depth < kDeepest; ++depth) {
        const std::uint32_t plain = plain_type(types, type);
        const btf_type* const found = type_at(types, plain);
        if (plain == 0 || found == nullptr) {
            return 0;
        }
        if (btf_is_ptr(found)) {
            return count * kPointerBytes;
        }
        if (!btf_is_array(found)) {
            const bool has_size =
                btf_is_int(found) || btf_is_composite(found) || btf_is_any_enum(found) || btf_is_float(found);
            return has_size ? count * found->size : 0;
        }
        const struct btf_array& array = *btf_array(found);
        // No array is larger than the address space of a kernel.
        constexpr std::uint64_t kMost = std::uint64_t{1} << 47;
        if (array.nelems != 0 && count > kMost / array.nelems) {
            return 0;
        }
        count *= array.nelems;
        type = array.type;
    }
    return 0;
}

std::string type_name(const Types& types, std::uint32_t type)
{
    std::string declarator;
    const auto declare = [&](const std::string& name) {
        const bool needs_space = !declarator.empty() && declarator.front() != '[';
        return name + (needs_space ? " " : "") + declarator;
    };
    for (unsigned depth = 0; depth < kDeepest; ++depth) {
        const btf_type* const found = type_at(types, type);
        if (type == 0 || found == nullptr) {
            return declare("void");
        }
        const std::string name = name_at(types, found->name_off);
        const std::string tag = " " + (name.empty() ? "{...}" : name);
        switch (btf_kind(found)) {
        case BTF_KIND_STRUCT:
            return declare("struct" + tag);
        case BTF_KIND_UNION:
            return declare("union" + tag);
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
            return declare("enum" + tag);
        case BTF_KIND_FWD:
            return declare((btf_kflag(found) ? "union" : "struct") + tag);
        case BTF_KIND_PTR:
            declarator.insert(0, "*");
            type = found->type;
            break;
        case BTF_KIND_ARRAY:
            if (declarator.starts_with('*')) {
                declarator = "(" + declarator + ")";
            }
            declarator += "[" + std::to_string(btf_array(found)->nelems) + "]";
            type = btf_array(found)->type;
            break;
        case BTF_KIND_FUNC_PROTO:
            return declare("function");
        case BTF_KIND_CONST:
        case BTF_KIND_VOLATILE:
        case BTF_KIND_RESTRICT:
        case BTF_KIND_TYPE_TAG:
            type = found->type;
            break;
        default:
            return declare(name);
        }
    }
    return declare("?");
}

} // namespace kmdump
