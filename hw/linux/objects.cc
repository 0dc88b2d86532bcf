// SPDX-License-Identifier: GPL-2.0-or-later
//
// A breadth-first search of the kernel's objects. The guest wrote all of them, so each is visited once, their
// number has a limit, and every read takes a step of the memory's budget.
#include "hw/linux/collect.h"
#include "hw/linux/kernel_objects.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace kmd
{

namespace
{

constexpr std::uint64_t kPointer = sizeof(std::uint64_t);
/// Ten times what a guest with a hundred processes has.
constexpr std::size_t kMostObjects = 1 << 16;
/// Elements of an array: more than a table of open files or of requests has by default.
constexpr std::uint64_t kMostElements = 4096;
/// For a string or something else that is short. Bytes.
constexpr std::uint64_t kShortBytes = 64;
/// Of a node of a maple tree, whose address it is aligned to. Bytes.
constexpr std::uint64_t kMapleNode = 256;
/// enum maple_type: the leaves have lower numbers.
constexpr std::uint64_t kMapleTypeRange = 2;
constexpr std::uint64_t kMapleTypeAllocation = 3;

constexpr std::string_view kAddressSpace = "mm_struct";

/// A row of the tables with the layout of this kernel. Offsets and sizes are in bytes.
struct Reference {
    Leads leads = kHere;
    /// Index of the structure that it leads to, and its size.
    std::size_t to = 0;
    std::uint64_t to_size = 0;
    /// Where it is in its object, and its size.
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    /// Where in the object that it leads to the pointers lead.
    std::uint64_t by = 0;
    /// Where the number of elements is in its object.
    std::uint64_t count_offset = 0;
};

class ObjectSearch
{
  public:
    explicit ObjectSearch(const KernelWalk& walk) : walk_(walk)
    {
        for (const KernelReference& row : kKernelReferences) {
            add_reference(row);
        }
    }

    ObjectsFound run()
    {
        for (const KernelRoot& root : kKernelRoots) {
            start(root);
        }
        while (!queue_.empty() && !walk_.memory.budget_is_used_up()) {
            const auto [structure, object] = queue_.front();
            queue_.pop_front();
            for (const Reference& reference : structures_[structure].references) {
                follow(reference, object + reference.offset, object + reference.count_offset);
            }
        }
        found_.cut = found_.cut || walk_.memory.budget_is_used_up();
        return found_;
    }

  private:
    struct Structure {
        std::string_view name;
        std::vector<Reference> references;
        /// Addresses of the objects that were visited.
        std::unordered_set<std::uint64_t> seen;
    };

    std::size_t index_of(std::string_view structure)
    {
        const auto [found, is_new] = indexes_.emplace(structure, structures_.size());
        if (is_new) {
            structures_.push_back({structure, {}, {}});
        }
        return found->second;
    }

    std::optional<std::uint64_t> size_of(Leads leads, std::string_view to) const
    {
        return leads == kBytes ? std::optional(kShortBytes) : walk_.kernel.size_of(structure_name(to));
    }

    std::optional<std::uint64_t> offset_of(std::string_view structure, std::string_view member) const
    {
        return walk_.kernel.offset(structure_name(structure), member);
    }

    void add_reference(const KernelReference& row)
    {
        const auto offset = offset_of(row.structure, row.member);
        const auto to_size = size_of(row.leads, row.to);
        const auto by_structure = leads_to_array(row.leads) ? row.structure : row.to;
        const auto by = row.by.empty() ? std::optional<std::uint64_t>(0) : offset_of(by_structure, row.by);
        if (!offset || !to_size || *to_size == 0 || !by) {
            return;
        }
        Reference reference;
        reference.leads = row.leads;
        reference.to = index_of(row.to);
        reference.to_size = *to_size;
        reference.offset = *offset;
        reference.size = walk_.kernel.member_size(structure_name(row.structure), row.member).value_or(0);
        (leads_to_array(row.leads) ? reference.count_offset : reference.by) = *by;
        structures_[index_of(row.structure)].references.push_back(reference);
    }

    void start(const KernelRoot& root)
    {
        const auto variable = walk_.kernel.symbol(root.variable);
        const auto to_size = size_of(root.leads, root.to);
        const bool is_counted = leads_to_array(root.leads);
        const auto by =
            root.by.empty() || is_counted ? std::optional<std::uint64_t>(0) : offset_of(root.to, root.by);
        const std::uint64_t count_at = is_counted ? walk_.kernel.address(root.by) : 0;
        if (!variable || !to_size || *to_size == 0 || !by || (is_counted && count_at == 0)) {
            return;
        }
        Reference reference;
        // A variable can be an array.
        reference.leads = root.leads == kTo ? kHeld : root.leads;
        reference.to = index_of(root.to);
        reference.to_size = *to_size;
        reference.size = std::max(variable->room, kPointer);
        reference.by = *by;
        const std::uint32_t instances = root.per_cpu ? walk_.cpus() : 1;
        for (std::uint32_t cpu = 0; cpu < instances && !walk_.memory.budget_is_used_up(); ++cpu) {
            follow(reference, root.per_cpu ? walk_.per_cpu(variable->address, cpu) : variable->address,
                   count_at);
        }
    }

    void visit(const Reference& reference, std::uint64_t object)
    {
        Structure& structure = structures_[reference.to];
        if (object == 0 || !walk_.memory.take_steps(1) || structure.seen.contains(object)) {
            return;
        }
        if (found_.objects == kMostObjects) {
            found_.cut = true;
            return;
        }
        structure.seen.insert(object);
        if (structure.name == kAddressSpace) {
            found_.spaces.push_back(object);
        }
        ++found_.objects;
        walk_.pages.add(object, reference.to_size);
        queue_.emplace_back(reference.to, object);
    }

    /// Visits the object to whose part at `reference.by` a pointer leads.
    void visit_by(const Reference& reference, std::uint64_t pointer)
    {
        visit(reference, pointer == 0 ? 0 : pointer - reference.by);
    }

    /// `at`: the place; `count_at`: where the number of its elements is.
    void follow(const Reference& reference, std::uint64_t at, std::uint64_t count_at)
    {
        switch (reference.leads) {
        case kHere:
            follow_array(reference, at, std::max<std::uint64_t>(reference.size / reference.to_size, 1));
            break;
        case kTo:
            visit_by(reference, walk_.memory.pointer(at));
            break;
        case kHeld:
            follow_pointers(reference, at, reference.size / kPointer);
            break;
        case kToPointers:
            follow_pointers(reference, walk_.memory.pointer(at), read_count(count_at));
            break;
        case kToArray:
            follow_array(reference, walk_.memory.pointer(at), read_count(count_at));
            break;
        case kList:
            follow_list(reference, at);
            break;
        case kRing:
            visit(reference, at);
            follow_list(reference, at + reference.by);
            break;
        case kBuckets:
            follow_buckets(reference, at);
            break;
        case kTree:
            follow_tree(reference, walk_.memory.pointer(at));
            break;
        case kMaple:
            follow_maple(reference, at);
            break;
        case kXarray:
            walk_.for_each_in_xarray(at, [&](std::uint64_t entry) { visit_by(reference, entry); });
            break;
        case kPerCpu:
            follow_per_cpu(reference, walk_.memory.read_u64(at).value_or(0));
            break;
        case kBytes:
            walk_.pages.add(at, reference.size);
            for (const std::uint64_t word : read_words(at, reference.size / kPointer)) {
                walk_.pages.add(walk_.memory.as_pointer(word), kShortBytes);
            }
            break;
        }
    }

    /// The number of elements that an object claims to have.
    std::uint64_t read_count(std::uint64_t at)
    {
        const std::uint64_t count = walk_.memory.read_u32(at).value_or(0);
        found_.cut = found_.cut || count > kMostElements;
        return count;
    }

    void follow_array(const Reference& reference, std::uint64_t array, std::uint64_t count)
    {
        for (std::uint64_t i = 0; array != 0 && i < std::min(count, kMostElements); ++i) {
            visit(reference, array + reference.to_size * i);
        }
    }

    std::vector<std::uint64_t> read_words(std::uint64_t at, std::uint64_t count) const
    {
        std::vector<std::uint64_t> words(std::min(count, kMostElements));
        if (at == 0 || !walk_.memory.read(at, std::as_writable_bytes(std::span(words)))) {
            words.clear();
        }
        return words;
    }

    void follow_pointers(const Reference& reference, std::uint64_t at, std::uint64_t count)
    {
        walk_.pages.add(at, kPointer * std::min(count, kMostElements));
        for (const std::uint64_t word : read_words(at, count)) {
            visit_by(reference, walk_.memory.as_pointer(word));
        }
    }

    /// A head that is 0 was never made a list.
    void follow_list(const Reference& reference, std::uint64_t head)
    {
        if (walk_.memory.pointer(head) != 0 &&
            !walk_.for_each(head, reference.by, [&](std::uint64_t object) { visit(reference, object); })) {
            ++found_.broken;
        }
    }

    /// A bucket points to its first node, and a node begins with a pointer to the next.
    void follow_buckets(const Reference& reference, std::uint64_t at)
    {
        for (const std::uint64_t bucket : read_words(at, reference.size / kPointer)) {
            std::unordered_set<std::uint64_t> nodes;
            for (std::uint64_t node = walk_.memory.as_pointer(bucket); node != 0 && nodes.insert(node).second;
                 node = walk_.memory.pointer(node)) {
                visit_by(reference, node);
            }
        }
    }

    /// struct rb_node: parent and colour, right, left.
    void follow_tree(const Reference& reference, std::uint64_t root)
    {
        std::unordered_set<std::uint64_t> nodes;
        std::vector<std::uint64_t> next = {root};
        while (!next.empty() && !walk_.memory.budget_is_used_up()) {
            const std::uint64_t node = next.back();
            next.pop_back();
            if (node == 0 || !nodes.insert(node).second) {
                continue;
            }
            visit_by(reference, node);
            next.push_back(walk_.memory.pointer(node + kPointer));
            next.push_back(walk_.memory.pointer(node + 2 * kPointer));
        }
    }

    /// A reference to a node has the value 2 in its lowest bits and the type of the node in bits 6:3
    /// (lib/maple_tree.c). A tree of one object may have no node.
    void follow_maple(const Reference& reference, std::uint64_t tree)
    {
        const auto root = walk_.kernel.offset(kMapleRoot.structure, kMapleRoot.member);
        std::unordered_set<std::uint64_t> nodes;
        std::vector<std::uint64_t> next;
        if (root) {
            next.push_back(walk_.memory.read_u64(tree + *root).value_or(0));
        }
        if (!next.empty() && (next.back() & 3) != 2) {
            visit_by(reference, walk_.memory.as_pointer(next.back()));
            return;
        }
        while (!next.empty() && !walk_.memory.budget_is_used_up()) {
            const std::uint64_t node = walk_.memory.as_pointer(next.back()) & ~(kMapleNode - 1);
            const std::uint64_t type = next.back() >> 3 & 15;
            next.pop_back();
            if (node == 0 || !nodes.insert(node).second) {
                continue;
            }
            walk_.pages.add(node, kMapleNode);
            for (const std::uint64_t entry : maple_slots(node, type)) {
                if (type < kMapleTypeRange) {
                    visit_by(reference, walk_.memory.as_pointer(entry));
                } else {
                    next.push_back(entry);
                }
            }
        }
    }

    std::vector<std::uint64_t> maple_slots(std::uint64_t node, std::uint64_t type) const
    {
        const KernelMember& layout = type == kMapleTypeAllocation ? kMapleAllocation : kMapleRange;
        const auto slots = walk_.kernel.offset(layout.structure, layout.member);
        const std::uint64_t bytes = walk_.kernel.member_size(layout.structure, layout.member).value_or(0);
        return slots ? read_words(node + *slots, std::min(bytes, kMapleNode) / kPointer)
                     : std::vector<std::uint64_t>();
    }

    void follow_per_cpu(const Reference& reference, std::uint64_t variable)
    {
        const std::uint32_t cpus = walk_.cpus();
        for (std::uint32_t cpu = 0; cpu < cpus && !walk_.memory.budget_is_used_up(); ++cpu) {
            visit(reference, walk_.per_cpu(variable, cpu));
        }
    }

    const KernelWalk& walk_;
    std::map<std::string_view, std::size_t> indexes_;
    std::vector<Structure> structures_;
    /// Indexes of structures, and addresses of objects.
    std::deque<std::pair<std::size_t, std::uint64_t>> queue_;
    ObjectsFound found_;
};

} // namespace

ObjectsFound collect_objects(const KernelWalk& walk)
{
    return ObjectSearch(walk).run();
}

} // namespace kmd
