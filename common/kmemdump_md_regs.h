/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kmemdump-md register interface in numbers: docs/register-spec.md, 1.1.
 *
 * The only definition of these numbers in code. The controller (C++), the Linux
 * driver and the bare-metal payload (C) include it, so it contains only
 * enumerators.
 */
#ifndef KMEMDUMP_MD_REGS_H
#define KMEMDUMP_MD_REGS_H

/* Section 2 */
#define KMD_DT_COMPATIBLE "kmemdump,md"
/* From the range that QEMU's vendor ID keeps for experiments */
#define KMD_PCI_VENDOR_ID 0x1af4
#define KMD_PCI_DEVICE_ID 0x10f3

/* Section 4: byte offsets in the register page */
enum kmd_register {
	KMD_MAGIC = 0x000,
	KMD_VERSION = 0x004,
	KMD_FEATURES = 0x008,
	KMD_SLOT_COUNT = 0x010,
	KMD_SLOT_STRIDE = 0x014,
	KMD_SLOT_OFFSET = 0x018,
	KMD_DOORBELL = 0x020,
	KMD_STATUS = 0x024,
	KMD_RESET_TABLE = 0x028,
	KMD_REGION_COUNT = 0x02c,
	KMD_FREE_SLOT = 0x030,
	KMD_GUEST_ERRORS = 0x034,
	KMD_DUMP_COUNT = 0x040,
	KMD_LAST_REASON = 0x044,
	KMD_LAST_RESULT = 0x048,
	KMD_LAST_REGIONS = 0x04c,
	KMD_LAST_BYTES = 0x050,
	KMD_LAST_NANOSECONDS = 0x058,
	KMD_LAST_REJECTED = 0x060,
	KMD_NOT_REGISTERED = 0x064,
	KMD_NOT_LISTED = 0x068,
	KMD_ID_SERIES = 0x06c,
};

/* Section 4: fixed values of the identification registers */
enum kmd_identity {
	KMD_MAGIC_VALUE = 0x444d4d4b,
	KMD_VERSION_VALUE = 0x00010001,
	KMD_VERSION_MAJOR = 1,
	KMD_SLOT_STRIDE_VALUE = 64,
	KMD_SLOT_OFFSET_VALUE = 0x1000,
	KMD_SLOT_COUNT_MAX = 65536,
};

/* Value of FREE_SLOT if no slot is free */
enum kmd_free_slot { KMD_NO_FREE_SLOT = 0xffffffff };

/* Section 4.4 */
enum kmd_id_series {
	KMD_SERIES_UNKNOWN = 0,
	KMD_SERIES_KMEMDUMP = 1,
	KMD_SERIES_MEMINSPECT = 2,
};

/* Section 4.1 */
enum kmd_feature {
	KMD_FEATURE_CPU_NOTES = 1u << 0,
	KMD_FEATURE_VMCOREINFO = 1u << 1,
	KMD_FEATURE_STACKS = 1u << 2,
	KMD_FEATURE_TABLES = 1u << 3,
	KMD_FEATURE_LISTS = 1u << 4,
};

/* Section 4.2 */
enum kmd_status {
	KMD_STATUS_READY = 1u << 0,
	KMD_STATUS_BUSY = 1u << 1,
	KMD_STATUS_FAULT_INJECTION = 1u << 2,
};

/* Section 5: byte offsets in a slot */
enum kmd_slot_field {
	KMD_SLOT_PHYS = 0x00,
	KMD_SLOT_VIRT = 0x08,
	KMD_SLOT_SIZE = 0x10,
	KMD_SLOT_NAME = 0x18,
	KMD_SLOT_ID = 0x28,
	KMD_SLOT_FLAGS = 0x2c,
	KMD_SLOT_STATUS = 0x30,
	KMD_SLOT_COMMIT = 0x38,
};

enum kmd_name_size { KMD_NAME_SIZE = 16 };

/* Section 5.1 */
enum kmd_flags {
	KMD_FLAGS_KIND = 0xff,
	KMD_FLAG_VITAL = 1u << 8,
	KMD_FLAG_FREED = 1u << 9,
};

enum kmd_kind {
	KMD_KIND_MEMORY = 0,
	KMD_KIND_ELF_HEADER = 1,
	KMD_KIND_VMCOREINFO = 2,
	KMD_KIND_LIST = 3,
};

/* Section 5.2: byte offsets in an entry of a list */
enum kmd_list_field {
	KMD_LIST_PHYS = 0x00,
	KMD_LIST_VIRT = 0x08,
	KMD_LIST_SIZE = 0x10,
};

enum kmd_list {
	KMD_LIST_STRIDE_VALUE = 24,
	KMD_LIST_ENTRIES_MAX = 65536,
};

/* Section 6 */
enum kmd_slot_status {
	KMD_SLOT_EMPTY = 0,
	KMD_SLOT_OK = 1,
	KMD_SLOT_OK_OVERLAP = 2,
	KMD_SLOT_BAD_SIZE = 16,
	KMD_SLOT_WRAPS = 17,
	KMD_SLOT_NOT_RAM = 18,
	KMD_SLOT_BAD_FLAGS = 19,
	KMD_SLOT_DUPLICATE = 20,
	KMD_SLOT_TABLE_FULL = 21,
	KMD_SLOT_REFUSED = 22,
	KMD_SLOT_FREED = 23,
};

/* Section 7 */
enum kmd_reason {
	KMD_REASON_PANIC = 1,
	KMD_REASON_REQUEST = 2,
	KMD_REASON_ABANDONED = 3,
	KMD_REASON_HOST = 16,
	KMD_REASON_RESET = 17,
	KMD_REASON_SHUTDOWN = 18,
	KMD_REASON_HANG = 19,
};

/* Section 8 */
enum kmd_result {
	KMD_RESULT_NONE = 0,
	KMD_RESULT_COMPLETE = 1,
	KMD_RESULT_PARTIAL = 2,
	KMD_RESULT_INCOMPLETE = 3,
	KMD_RESULT_FAILED = 4,
	KMD_RESULT_EMPTY = 5,
	KMD_RESULT_LIMIT = 6,
};

#endif
