// SPDX-License-Identifier: GPL-2.0-or-later
//
// BTF, the description of its types that a kernel carries in its memory (Documentation/bpf/btf.rst of Linux).
// This reader is for BTF from a guest that may be hostile: nothing in it costs more than a bounded number of
// steps and bytes.
#pragma once

#include "common/result.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kmd
{

/// Where in a part of a kernel's image something begins that has the header of BTF; none if nothing does.
std::optional<std::span<const std::byte>> find_btf(std::span<const std::byte> image);

class Btf
{
  public:
    /// Bytes; three times what distributions' kernels have.
    static constexpr std::size_t kMostBytes = 16 << 20;

    /// Reads the description. `structures` and `enums`: the names of those that will be asked for, sorted. An
    /// error if it is not BTF or contradicts itself.
    static Result<Btf> parse(std::vector<std::byte> bytes, std::span<const std::string_view> structures,
                             std::span<const std::string_view> enums);

    /// Size of a structure in bytes. None if the kernel has no such structure.
    std::optional<std::uint64_t> size_of(std::string_view structure) const;

    /// A member of a structure, or of an anonymous structure or union inside it. Bytes.
    struct Member {
        std::uint64_t offset = 0;
        std::uint64_t size = 0;
    };

    /// `path`: a member, or members of members, such as "f_path.mnt". None if the kernel has no such member,
    /// or if the description is too complicated to be a kernel's.
    std::optional<Member> find(std::string_view structure, std::string_view path);

    /// Where a per-CPU variable is in the area of a CPU; none if the kernel does not describe it. Bytes.
    std::optional<Member> per_cpu_variable(std::string_view variable) const;
    /// Size of that area, as far as the kernel's own variables reach; 0 if it is not described. Bytes.
    std::uint64_t per_cpu_size() const;

    /// The value of an enumerator of an enum. None if the kernel has no such enumerator.
    std::optional<std::int64_t> enumerator(std::string_view enumeration, std::string_view name) const;

  private:
    /// Struct btf_type.
    struct Type {
        std::uint32_t name = 0;
        std::uint32_t kind = 0;
        std::uint32_t count = 0;
        bool has_bit_fields = false;
        /// Size in bytes, or the id of another type.
        std::uint32_t size_or_type = 0;
        /// Where what follows the structure begins, in bytes from the start of `bytes_`.
        std::uint32_t details = 0;
    };

    explicit Btf(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

    std::optional<Error> read_header();
    /// Fills positions_ and the named types.
    std::optional<Error> read_types(std::span<const std::string_view> structures,
                                    std::span<const std::string_view> enums);
    Type type_at(std::uint32_t position) const;
    std::optional<Type> type(std::uint32_t id) const;
    std::string_view name(std::uint32_t offset) const;
    std::uint64_t size_of_type(std::uint32_t id) const;
    /// The structure or union that a type is, or of which it is an array.
    std::optional<Type> structure_of(std::uint32_t id) const;
    struct TypedMember {
        std::uint64_t offset = 0;
        std::uint32_t type = 0;
    };
    std::optional<TypedMember> find_in(const Type& structure, std::string_view member, unsigned depth);

    std::vector<std::byte> bytes_;
    /// Sections in bytes_.
    std::uint32_t types_begin_ = 0;
    std::uint32_t types_end_ = 0;
    std::uint32_t names_begin_ = 0;
    std::uint32_t names_end_ = 0;
    /// Of the types from id 1 on, in bytes_.
    std::vector<std::uint32_t> positions_;
    std::map<std::string, Type, std::less<>> structures_;
    std::map<std::string, Type, std::less<>> enums_;
    /// The section of per-CPU variables.
    std::optional<Type> per_cpu_;
    /// How many members all searches together may look at.
    std::uint32_t members_left_ = 500'000;
};

} // namespace kmd
