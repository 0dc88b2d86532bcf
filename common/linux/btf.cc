// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/linux/btf.h"

#include "common/little_endian.h"

#include <algorithm>
#include <utility>

namespace kmd
{

namespace
{

constexpr std::uint16_t kMagic = 0xeb9f;
constexpr std::size_t kHeaderBytes = 24;
constexpr std::size_t kTypeBytes = 12;
constexpr std::size_t kMemberBytes = 12;
constexpr std::string_view kPerCpuSection = ".data..percpu";
/// Nesting of anonymous structures, and of typedefs and arrays; real ones are far less deep.
constexpr unsigned kDeepest = 16;
constexpr std::uint64_t kPointerBytes = 8;
/// Longer than any name that is asked for.
constexpr std::size_t kLongestName = 64;

/// BTF_KIND_*.
enum Kind : std::uint32_t {
    kInt = 1,
    kPointer = 2,
    kArray = 3,
    kStruct = 4,
    kUnion = 5,
    kEnum = 6,
    kForward = 7,
    kTypedef = 8,
    kVolatile = 9,
    kConst = 10,
    kRestrict = 11,
    kFunction = 12,
    kPrototype = 13,
    kVariable = 14,
    kDataSection = 15,
    kFloat = 16,
    kDeclarationTag = 17,
    kTypeTag = 18,
    kEnum64 = 19,
};

/// Size in bytes of what follows struct btf_type. None for a kind that is unknown.
std::optional<std::size_t> details_size(std::uint32_t kind, std::size_t count)
{
    switch (kind) {
    case kInt:
    case kVariable:
    case kDeclarationTag:
        return 4;
    case kArray:
        return 12;
    case kStruct:
    case kUnion:
    case kDataSection:
    case kEnum64:
        return 12 * count;
    case kEnum:
    case kPrototype:
        return 8 * count;
    case kPointer:
    case kForward:
    case kTypedef:
    case kVolatile:
    case kConst:
    case kRestrict:
    case kFunction:
    case kFloat:
    case kTypeTag:
        return 0;
    default:
        return std::nullopt;
    }
}

Error broken(const char* why)
{
    return {std::string("the kernel's BTF is corrupt: ") + why};
}

bool contains(std::span<const std::string_view> names, std::string_view name)
{
    return std::binary_search(names.begin(), names.end(), name);
}

} // namespace

std::optional<std::span<const std::byte>> find_btf(std::span<const std::byte> image)
{
    // Magic, version 1, no flags, length of the header, and types right behind it.
    constexpr unsigned char kStart[] = {0x9f, 0xeb, 1, 0, kHeaderBytes, 0, 0, 0, 0, 0, 0, 0};
    const auto start = std::as_bytes(std::span(kStart));
    for (auto at = image.begin();; ++at) {
        at = std::search(at, image.end(), start.begin(), start.end());
        const auto rest = image.subspan(static_cast<std::size_t>(at - image.begin()));
        if (rest.size() < kHeaderBytes) {
            return std::nullopt;
        }
        const auto word = [&](std::size_t offset) {
            return std::uint64_t{load<std::uint32_t>(rest, offset)};
        };
        const std::uint64_t size = kHeaderBytes + word(16) + word(20);
        if (word(12) == word(16) && size <= std::min<std::uint64_t>(rest.size(), Btf::kMostBytes)) {
            return rest.first(size);
        }
    }
}

Result<Btf> Btf::parse(std::vector<std::byte> bytes, std::span<const std::string_view> structures,
                       std::span<const std::string_view> enums)
{
    if (bytes.size() > kMostBytes) {
        return broken("it is larger than that of any kernel");
    }
    Btf btf(std::move(bytes));
    auto error = btf.read_header();
    if (!error) {
        error = btf.read_types(structures, enums);
    }
    if (error) {
        return *error;
    }
    return btf;
}

std::optional<Error> Btf::read_header()
{
    if (bytes_.size() < kHeaderBytes || load<std::uint16_t>(bytes_, 0) != kMagic) {
        return Error{"expected the kernel's BTF, found something else"};
    }
    const auto word = [&](std::size_t offset) { return std::uint64_t{load<std::uint32_t>(bytes_, offset)}; };
    const std::uint64_t header = word(4);
    const std::uint64_t types = header + word(8);
    const std::uint64_t types_end = types + word(12);
    const std::uint64_t names = header + word(16);
    const std::uint64_t names_end = names + word(20);
    if (types_end > bytes_.size() || names_end > bytes_.size()) {
        return broken("a section reaches past its end");
    }
    types_begin_ = static_cast<std::uint32_t>(types);
    types_end_ = static_cast<std::uint32_t>(types_end);
    names_begin_ = static_cast<std::uint32_t>(names);
    names_end_ = static_cast<std::uint32_t>(names_end);
    return std::nullopt;
}

std::optional<Error> Btf::read_types(std::span<const std::string_view> structures,
                                     std::span<const std::string_view> enums)
{
    for (std::uint32_t at = types_begin_; at != types_end_;) {
        if (types_end_ - at < kTypeBytes) {
            return broken("a type is cut off");
        }
        const Type found = type_at(at);
        const auto size = details_size(found.kind, found.count);
        if (!size) {
            return broken("a type is of an unknown kind");
        }
        if (*size > types_end_ - found.details) {
            return broken("a type is cut off");
        }
        positions_.push_back(at);
        if (found.kind == kStruct && contains(structures, name(found.name))) {
            structures_.emplace(name(found.name), found);
        } else if (found.kind == kEnum && contains(enums, name(found.name))) {
            enums_.emplace(name(found.name), found);
        } else if (found.kind == kDataSection && name(found.name) == kPerCpuSection) {
            per_cpu_ = found;
        }
        at = found.details + static_cast<std::uint32_t>(*size);
    }
    return std::nullopt;
}

Btf::Type Btf::type_at(std::uint32_t position) const
{
    const auto info = load<std::uint32_t>(bytes_, position + 4);
    return {.name = load<std::uint32_t>(bytes_, position),
            .kind = info >> 24 & 0x1f,
            .count = info & 0xffff,
            .has_bit_fields = info >> 31 != 0,
            .size_or_type = load<std::uint32_t>(bytes_, position + 8),
            .details = position + static_cast<std::uint32_t>(kTypeBytes)};
}

std::optional<Btf::Type> Btf::type(std::uint32_t id) const
{
    return id >= 1 && id <= positions_.size() ? std::optional(type_at(positions_[id - 1])) : std::nullopt;
}

std::string_view Btf::name(std::uint32_t offset) const
{
    if (offset >= names_end_ - names_begin_) {
        return {};
    }
    const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + names_begin_ + offset,
                                std::min<std::size_t>(names_end_ - names_begin_ - offset, kLongestName));
    return rest.substr(0, rest.find('\0'));
}

std::optional<std::uint64_t> Btf::size_of(std::string_view structure) const
{
    const auto found = structures_.find(structure);
    return found == structures_.end() ? std::nullopt
                                      : std::optional<std::uint64_t>(found->second.size_or_type);
}

/// 0 if it is not known.
std::uint64_t Btf::size_of_type(std::uint32_t id) const
{
    std::uint64_t times = 1;
    for (unsigned depth = 0; depth < kDeepest; ++depth) {
        const auto found = type(id);
        if (!found) {
            return 0;
        }
        switch (found->kind) {
        case kInt:
        case kStruct:
        case kUnion:
        case kEnum:
        case kEnum64:
        case kFloat:
            return times * found->size_or_type;
        case kPointer:
            return times * kPointerBytes;
        case kArray:
            id = load<std::uint32_t>(bytes_, found->details);
            times *= load<std::uint32_t>(bytes_, found->details + 8);
            break;
        case kTypedef:
        case kVolatile:
        case kConst:
        case kRestrict:
        case kTypeTag:
            id = found->size_or_type;
            break;
        default:
            return 0;
        }
    }
    return 0;
}

std::optional<Btf::Type> Btf::structure_of(std::uint32_t id) const
{
    for (unsigned depth = 0; depth < kDeepest; ++depth) {
        const auto found = type(id);
        if (!found) {
            return std::nullopt;
        }
        switch (found->kind) {
        case kStruct:
        case kUnion:
            return found;
        case kArray:
            id = load<std::uint32_t>(bytes_, found->details);
            break;
        case kTypedef:
        case kVolatile:
        case kConst:
        case kTypeTag:
            id = found->size_or_type;
            break;
        default:
            return std::nullopt;
        }
    }
    return std::nullopt;
}

std::optional<Btf::Member> Btf::find(std::string_view structure, std::string_view path)
{
    const auto named = structures_.find(structure);
    auto inside = named == structures_.end() ? std::nullopt : std::optional(named->second);
    std::uint64_t offset = 0;
    while (inside) {
        const std::string_view name = path.substr(0, path.find('.'));
        const auto member = find_in(*inside, name, 0);
        if (!member) {
            return std::nullopt;
        }
        offset += member->offset;
        if (name.size() == path.size()) {
            return Member{offset, size_of_type(member->type)};
        }
        path.remove_prefix(name.size() + 1);
        inside = structure_of(member->type);
    }
    return std::nullopt;
}

std::optional<Btf::TypedMember> Btf::find_in(const Type& structure, std::string_view member, unsigned depth)
{
    for (std::uint32_t i = 0; i < structure.count && members_left_ > 0; ++i) {
        --members_left_;
        const std::size_t at = structure.details + kMemberBytes * i;
        const std::string_view found = name(load<std::uint32_t>(bytes_, at));
        const auto id = load<std::uint32_t>(bytes_, at + 4);
        const auto bits = load<std::uint32_t>(bytes_, at + 8);
        // With bit fields, the upper 8 bits are the width.
        const std::uint64_t offset = (structure.has_bit_fields ? bits & 0xffffff : bits) / 8;
        if (found == member) {
            return TypedMember{offset, id};
        }
        const auto inner = found.empty() && depth < kDeepest ? type(id) : std::nullopt;
        if (inner && (inner->kind == kStruct || inner->kind == kUnion)) {
            if (const auto nested = find_in(*inner, member, depth + 1)) {
                return TypedMember{offset + nested->offset, nested->type};
            }
        }
    }
    return std::nullopt;
}

std::optional<Btf::Member> Btf::per_cpu_variable(std::string_view variable) const
{
    for (std::uint32_t i = 0; per_cpu_ && i < per_cpu_->count; ++i) {
        // struct btf_var_secinfo: type, offset, size.
        const std::size_t at = per_cpu_->details + 12 * std::size_t{i};
        const auto found = type(load<std::uint32_t>(bytes_, at));
        if (found && found->kind == kVariable && name(found->name) == variable) {
            return Member{load<std::uint32_t>(bytes_, at + 4), load<std::uint32_t>(bytes_, at + 8)};
        }
    }
    return std::nullopt;
}

std::uint64_t Btf::per_cpu_size() const
{
    return per_cpu_ ? per_cpu_->size_or_type : 0;
}

std::optional<std::int64_t> Btf::enumerator(std::string_view enumeration, std::string_view wanted) const
{
    const auto found = enums_.find(enumeration);
    if (found == enums_.end()) {
        return std::nullopt;
    }
    const Type& type = found->second;
    for (std::uint32_t i = 0; i < type.count; ++i) {
        const std::size_t at = type.details + 8 * std::size_t{i};
        if (name(load<std::uint32_t>(bytes_, at)) == wanted) {
            return load<std::int32_t>(bytes_, at + 4);
        }
    }
    return std::nullopt;
}

} // namespace kmd
