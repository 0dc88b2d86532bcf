/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A minimal guest that uses the controller: AArch64 code for QEMU's virt
 * machine, without MMU, operating system or library. It registers three
 * regions, rings the doorbell, prints the controller's answer on the serial
 * port, and powers the machine off.
 *
 * The word at MODE_ADDRESS, which a test sets with `-device loader`, selects
 * the mode. Some modes wait for the word at GO_ADDRESS.
 */
#include <stdint.h>

#include "common/kmemdump_md_regs.h"

#define CONTROLLER 0x0b000000UL
#define UART_DATA 0x09000000UL
#define MODE_ADDRESS 0x48000000UL
#define GO_ADDRESS 0x48000008UL
/* A word with the address of the upper page tables; 0: the MMU stays off. */
#define TABLES_ADDRESS 0x48000010UL
/* How many CPUs have turned the MMU on. */
#define MMU_COUNT_ADDRESS 0x48000018UL

/* A plausible address in a kernel's linear map; it appears only in the dump. */
#define VIRT_OFFSET 0xffff000000000000UL

#define PSCI_CPU_ON 0xc4000003UL
#define PSCI_SYSTEM_OFF 0x84000008UL
#define PSCI_SYSTEM_RESET 0x84000009UL

#define LAST_WORDS 0x6b6d656d64756d70UL

/* There is neither memory nor a device at this address. */
#define VOID 0x30000000000UL

enum mode {
	MODE_ONE_DUMP = 0,
	MODE_STORM = 1,
	MODE_RESET = 2,
	MODE_PANIC_AND_RESET = 3,
	MODE_POWER_OFF = 4,
	MODE_HANG = 5,
	MODE_JUMP_INTO_THE_VOID = 6,
	MODE_STACK_OVERFLOW = 7,
	MODE_BROKEN_VECTORS = 8,
	MODE_WAIT_AND_PANIC = 9,
	MODE_RACE = 10,
	MODE_FULL_TABLE = 11,
	MODE_PANIC_AND_RESET_DISK = 12,
	MODE_WAIT_AND_REQUEST = 13,
};

#define STORM_RINGS 100

/* Memory that CPU 1 changes all the time, at both ends, and a slot. */
#define RACE_START 0x44000000UL
#define RACE_SIZE 0x800000UL
#define RACE_SLOT 4
#define RACE_RINGS 6

/* Regions that cannot be widened to whole pages, and therefore not be joined. */
#define MANY_START 0x44000000UL
#define MANY_STRIDE 64
#define MANY_SIZE 16
#define MANY_VIRT (VIRT_OFFSET + 8)
#define MANY_VIRT_STRIDE 0x1000UL
#define PATTERN_WORDS 1500

static const char vmcoreinfo[] = "OSRELEASE=baremetal\nPAGESIZE=4096\n";
static char message[64];
static uint64_t pattern[PATTERN_WORDS];
static uint32_t regions;

static uint32_t read32(uint64_t address)
{
	return *(volatile uint32_t *)address;
}

static uint64_t read64(uint64_t address)
{
	return *(volatile uint64_t *)address;
}

static void write32(uint64_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

static void write64(uint64_t address, uint64_t value)
{
	*(volatile uint64_t *)address = value;
}

static void print(const char *text)
{
	while (*text)
		write32(UART_DATA, *text++);
}

static void print_number(const char *name, uint64_t value)
{
	char digits[21];
	char *digit = digits + sizeof(digits) - 1;

	*digit = '\0';
	do {
		*--digit = '0' + value % 10;
		value /= 10;
	} while (value);
	print(name);
	print(digit);
	print("\n");
}

/* Section 6 of the specification. */
static void register_region(const char *name, uint32_t kind, const void *start,
			    uint64_t size)
{
	uint32_t free_slot = read32(CONTROLLER + KMD_FREE_SLOT);
	uint64_t slot = CONTROLLER + KMD_SLOT_OFFSET_VALUE +
			(uint64_t)free_slot * KMD_SLOT_STRIDE_VALUE;
	uint32_t i;

	write64(slot + KMD_SLOT_PHYS, (uint64_t)start);
	write64(slot + KMD_SLOT_VIRT, VIRT_OFFSET + (uint64_t)start);
	write64(slot + KMD_SLOT_SIZE, size);
	for (i = 0; i < KMD_NAME_SIZE; i += 4) {
		uint32_t word = 0, byte;

		for (byte = 0; byte < 4 && *name; byte++)
			word |= (uint32_t)(uint8_t)*name++ << 8 * byte;
		write32(slot + KMD_SLOT_NAME + i, word);
	}
	write32(slot + KMD_SLOT_ID, ++regions);
	write32(slot + KMD_SLOT_FLAGS, kind);
	write32(slot + KMD_SLOT_COMMIT, 1);
	print_number("slot status ", read32(slot + KMD_SLOT_STATUS));
}

/* Section 7. Without an MMU all accesses are in order. */
static void ring(uint32_t reason)
{
	write32(CONTROLLER + KMD_DOORBELL, reason);
	while (read32(CONTROLLER + KMD_STATUS) & KMD_STATUS_BUSY)
		;
}

/*
 * The endless loop of CPU 1: counts in the first word of the memory, then in the
 * last, and from time to time makes the slot valid or invalid. It has no stack; x0
 * points to the three addresses.
 */
extern const char race[];
asm(".text\n"
    "race:\n"
    "	ldp x2, x3, [x0]\n"
    "	ldr x4, [x0, #16]\n"
    "	mov x1, #0\n"
    "1:	add x1, x1, #1\n"
    "	str x1, [x2]\n"
    "	str x1, [x3]\n"
    "	tst x1, #0xffff\n"
    "	b.ne 1b\n"
    "	ubfx x5, x1, #16, #1\n"
    "	str w5, [x4]\n"
    "	b 1b\n");

static const uint64_t race_addresses[] = {
	RACE_START,
	RACE_START + RACE_SIZE - 8,
	CONTROLLER + KMD_SLOT_OFFSET_VALUE + RACE_SLOT * KMD_SLOT_STRIDE_VALUE +
		KMD_SLOT_COMMIT,
};

static uint64_t start_cpu(uint64_t number, const void *code, const void *context)
{
	register uint64_t call asm("x0") = PSCI_CPU_ON;
	register uint64_t cpu asm("x1") = number;
	register uint64_t entry asm("x2") = (uint64_t)code;
	register uint64_t argument asm("x3") = (uint64_t)context;

	asm volatile("hvc #0"
		     : "+r"(call), "+r"(cpu), "+r"(entry), "+r"(argument)
		     : : "memory");
	return call;
}

static void start_race(void)
{
	uint64_t slot = CONTROLLER + KMD_SLOT_OFFSET_VALUE +
			RACE_SLOT * KMD_SLOT_STRIDE_VALUE;

	register_region("race", KMD_KIND_MEMORY, (void *)RACE_START, RACE_SIZE);
	write64(slot + KMD_SLOT_PHYS, RACE_START + 2 * RACE_SIZE);
	write64(slot + KMD_SLOT_VIRT, VIRT_OFFSET + RACE_START + 2 * RACE_SIZE);
	write64(slot + KMD_SLOT_SIZE, 4096);
	print_number("cpu on ", start_cpu(1, race, race_addresses));
}

/* Rings the doorbell repeatedly, while CPU 1 keeps running. */
static void ring_during_the_race(void)
{
	uint32_t rings = RACE_RINGS;

	while (rings--) {
		uint64_t later = read64(RACE_START) + 100000;

		while (read64(RACE_START) < later)
			;
		ring(KMD_REASON_REQUEST);
	}
}

/* The virt machine's counter: 62.5 MHz. */
#define COUNTER_NS 16

static uint64_t counter(void)
{
	uint64_t value;

	asm volatile("isb\n mrs %0, cntvct_el0" : "=r"(value) : : "memory");
	return value;
}

static void wait_ns(uint64_t ns)
{
	uint64_t start = counter();

	while ((counter() - start) * COUNTER_NS < ns)
		;
}

/*
 * Registers a region in every slot, with as many accesses as a driver needs that
 * keeps track of free slots itself.
 */
static void fill_the_table(void)
{
	uint32_t slots = read32(CONTROLLER + KMD_SLOT_COUNT), i;
	uint64_t start = counter();

	for (i = 0; i < slots; i++) {
		uint64_t slot = CONTROLLER + KMD_SLOT_OFFSET_VALUE +
				(uint64_t)i * KMD_SLOT_STRIDE_VALUE;
		uint64_t at = MANY_START + (uint64_t)i * MANY_STRIDE;

		write64(at, i);
		write64(slot + KMD_SLOT_PHYS, at);
		write64(slot + KMD_SLOT_VIRT, MANY_VIRT + i * MANY_VIRT_STRIDE);
		write64(slot + KMD_SLOT_SIZE, MANY_SIZE);
		write64(slot + KMD_SLOT_NAME, 'm');
		write64(slot + KMD_SLOT_NAME + 8, 0);
		write64(slot + KMD_SLOT_ID, 0);
		write32(slot + KMD_SLOT_COMMIT, 1);
		read32(slot + KMD_SLOT_STATUS);
	}
	print_number("ns each ", (counter() - start) * COUNTER_NS / slots);
}


static void fill_memory(void)
{
	static const char text[] = "made at run time";
	uint64_t value = 0x9e3779b97f4a7c15;
	uint32_t i;

	for (i = 0; i < sizeof(text); i++)
		message[i] = text[i];
	for (i = 0; i < PATTERN_WORDS; i++) {
		value = value * 6364136223846793005 + 1442695040888963407;
		pattern[i] = value;
	}
}

/*
 * x19 to x28 hold LAST_WORDS - 1 to LAST_WORDS + 8 when the payload stops:
 * only a dump of the registers shows these values. The function that sets them has
 * a stack frame of its own, for a debugger to find.
 */
#define SAY_LAST_WORDS                                                         \
	"mov x20, %[words]\n sub x19, x20, #1\n add x21, x20, #1\n"            \
	"add x22, x20, #2\n add x23, x20, #3\n add x24, x20, #4\n"             \
	"add x25, x20, #5\n add x26, x20, #6\n add x27, x20, #7\n"             \
	"add x28, x20, #8\n"
#define LAST_WORDS_REGISTERS                                                   \
	"x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28",  \
		"memory"
#define OWN_FRAME __attribute__((noinline))

static void OWN_FRAME psci(uint64_t call)
{
	asm volatile(SAY_LAST_WORDS "mov x0, %[call]\n"
				    "hvc #0\n"
				    "1: b 1b"
		     : : [words] "r"(LAST_WORDS), [call] "r"(call)
		     : "x0", LAST_WORDS_REGISTERS);
}

/* Interrupts are masked from the start. */
static void OWN_FRAME hang(void)
{
	asm volatile(SAY_LAST_WORDS "1: b 1b"
		     : : [words] "r"(LAST_WORDS) : LAST_WORDS_REGISTERS);
}

/* Like a call through a bad pointer. */
static void OWN_FRAME jump_into_the_void(void)
{
	asm volatile(SAY_LAST_WORDS "blr %[target]"
		     : : [words] "r"(LAST_WORDS), [target] "r"(VOID)
		     : "x30", LAST_WORDS_REGISTERS);
}

/* Pushes until it leaves RAM or overwrites its own code. */
static void OWN_FRAME overflow_the_stack(void)
{
	asm volatile(SAY_LAST_WORDS "1: str xzr, [sp, #-16]!\n"
				    "b 1b"
		     : : [words] "r"(LAST_WORDS) : LAST_WORDS_REGISTERS);
}

static void OWN_FRAME break_the_vectors(void)
{
	asm volatile(SAY_LAST_WORDS "msr vbar_el1, %[target]\n"
				    "isb\n"
				    "udf #0"
		     : : [words] "r"(LAST_WORDS), [target] "r"(VOID)
		     : LAST_WORDS_REGISTERS);
}

/* Rings the doorbell and waits for the end of the dump, without output. */
static void OWN_FRAME panic(void)
{
	asm volatile(SAY_LAST_WORDS "str %w[reason], [%[doorbell]]\n"
				    "1: ldr w0, [%[status]]\n"
				    "tbnz w0, #1, 1b"
		     : : [words] "r"(LAST_WORDS), [reason] "r"(KMD_REASON_PANIC),
			 [doorbell] "r"(CONTROLLER + KMD_DOORBELL),
			 [status] "r"(CONTROLLER + KMD_STATUS)
		     : "x0", LAST_WORDS_REGISTERS);
}

/*
 * A disk on virtio-mmio, version 1 ("legacy") of its specification, with a pending
 * read of its first sector.
 */
#define DISK_DELAY_NS 3000000000UL
#define DISKS 0x0a000000UL
#define DISK_STRIDE 0x200UL
#define DISK_COUNT 32
#define DISK_DEVICE_ID 0x008
#define DISK_PAGE_SIZE 0x028
#define DISK_QUEUE_NUM 0x038
#define DISK_QUEUE_ALIGN 0x03c
#define DISK_QUEUE_PFN 0x040
#define DISK_QUEUE_NOTIFY 0x050
#define DISK_STATUS 0x070
#define DISK_STATUS_DRIVER_OK 7
#define DISK_ID_BLOCK 2

#define RING 0x46000000UL
#define RING_SIZE 8
#define RING_AVAILABLE (RING + RING_SIZE * 16)
#define REQUEST (RING + 0x10000)
#define SECTOR (RING + 0x11000)
#define RING_NEXT 1
#define RING_WRITE 2

static void descriptor(uint32_t number, uint64_t address, uint32_t size,
		       uint32_t flags)
{
	write64(RING + 16 * number, address);
	write32(RING + 16 * number + 8, size);
	write32(RING + 16 * number + 12, flags | (number + 1) << 16);
}

static uint64_t find_disk(void)
{
	uint64_t disk = DISKS;

	while (read32(disk + DISK_DEVICE_ID) != DISK_ID_BLOCK) {
		disk += DISK_STRIDE;
		if (disk == DISKS + DISK_COUNT * DISK_STRIDE) {
			print("no disk\n");
			psci(PSCI_SYSTEM_OFF);
		}
	}
	write32(disk + DISK_PAGE_SIZE, 4096);
	write32(disk + DISK_QUEUE_NUM, RING_SIZE);
	write32(disk + DISK_QUEUE_ALIGN, 4096);
	write32(disk + DISK_QUEUE_PFN, RING / 4096);
	write32(disk + DISK_STATUS, DISK_STATUS_DRIVER_OK);
	descriptor(0, REQUEST, 16, RING_NEXT);
	descriptor(1, SECTOR, 512, RING_NEXT | RING_WRITE);
	descriptor(2, REQUEST + 16, 1, RING_WRITE);
	write32(RING_AVAILABLE, 1 << 16);
	write32(disk + DISK_QUEUE_NOTIFY, 0);
	return disk;
}

/* Rings the doorbell, and resets the disk before QEMU stops the CPU. */
static void OWN_FRAME panic_and_reset_disk(uint64_t disk)
{
	asm volatile(SAY_LAST_WORDS "str %w[reason], [%[doorbell]]\n"
				    "str wzr, [%[disk]]\n"
				    "1: ldr w0, [%[status]]\n"
				    "tbnz w0, #1, 1b"
		     : : [words] "r"(LAST_WORDS), [reason] "r"(KMD_REASON_PANIC),
			 [doorbell] "r"(CONTROLLER + KMD_DOORBELL),
			 [disk] "r"(disk + DISK_STATUS),
			 [status] "r"(CONTROLLER + KMD_STATUS)
		     : "x0", LAST_WORDS_REGISTERS);
}

/*
 * A guest with false page tables: the MMU is on and the lower half of the address
 * space is as before, 1 GiB of devices and 1 GiB of memory. But the tables of the
 * upper half are at the address in TABLES_ADDRESS, and stack and frame pointer are
 * in the upper half. No CPU uses its stack from then on.
 */
struct mmu {
	uint64_t mair, tcr, ttbr0, ttbr1, sp;
	/* Written after the MMU was turned on. */
	uint64_t *count_at, count;
};

#define UPPER_STACK 0xffff800012345000UL
#define MAIR 0xff00UL /* 0: device, 1: memory */
/* 39 bits below, 48 above; 4 KiB pages; 40 bits of physical address. */
#define TCR (25UL | 1UL << 8 | 1UL << 10 | 3UL << 12 | 16UL << 16 |          \
	     1UL << 24 | 1UL << 26 | 3UL << 28 | 2UL << 30 | 2UL << 32)
#define BLOCK_OF_DEVICES 0x401UL
#define BLOCK_OF_MEMORY 0x705UL

static uint64_t lower_half[512] __attribute__((aligned(4096)));
static struct mmu mmus[2];

/* x0: struct mmu; returns to x30. */
extern const char turn_on_mmu[], wait_with_mmu[];
asm(".text\n"
    "turn_on_mmu:\n"
    "	ldp x1, x2, [x0]\n"
    "	ldp x3, x4, [x0, #16]\n"
    "	msr mair_el1, x1\n"
    "	msr tcr_el1, x2\n"
    "	msr ttbr0_el1, x3\n"
    "	msr ttbr1_el1, x4\n"
    "	isb\n"
    "	mrs x1, sctlr_el1\n"
    "	orr x1, x1, #1\n"
    "	msr sctlr_el1, x1\n"
    "	isb\n"
    "	ldr x1, [x0, #32]\n"
    "	mov sp, x1\n"
    "	mov x29, x1\n"
    "	ldr x1, [x0, #40]\n"
    "	ldr x2, [x0, #48]\n"
    "	str x2, [x1]\n"
    "	ret\n"
    "wait_with_mmu:\n"
    "	bl turn_on_mmu\n"
    "1:	b 1b\n");

static uint64_t reason_of(enum mode mode)
{
	switch (mode) {
	case MODE_PANIC_AND_RESET:
	case MODE_WAIT_AND_PANIC:
		return KMD_REASON_PANIC;
	case MODE_WAIT_AND_REQUEST:
		return KMD_REASON_REQUEST;
	default:
		return 0;
	}
}

static uint64_t last_call_of(enum mode mode)
{
	switch (mode) {
	case MODE_RESET:
	case MODE_PANIC_AND_RESET:
		return PSCI_SYSTEM_RESET;
	case MODE_POWER_OFF:
		return PSCI_SYSTEM_OFF;
	default:
		return 0;
	}
}

/* Waits for the word at GO_ADDRESS, rings the doorbell in some modes, and ends. */
static void die_with_tables_at(uint64_t ttbr1, enum mode mode)
{
	uint32_t i;

	lower_half[0] = BLOCK_OF_DEVICES;
	lower_half[1] = 0x40000000UL | BLOCK_OF_MEMORY;
	for (i = 0; i < 2; i++)
		mmus[i] = (struct mmu){
			MAIR, TCR, (uint64_t)lower_half, ttbr1, UPPER_STACK,
			(uint64_t *)MMU_COUNT_ADDRESS, 2 - i,
		};
	/* CPU 0 waits for CPU 1, if there is one, and writes the count last. */
	if (start_cpu(1, wait_with_mmu, &mmus[1]) == 0)
		while (!read64(MMU_COUNT_ADDRESS))
			;
	else
		mmus[0].count = 1;
	print("ready\n");
	asm volatile("mov x0, %[mmu]\n"
		     "bl turn_on_mmu\n"
		     "1: ldr w0, [%[go]]\n"
		     "cbz w0, 1b\n"
		     "cbz %[reason], 3f\n"
		     "str %w[reason], [%[doorbell]]\n"
		     "2: ldr w0, [%[status]]\n"
		     "tbnz w0, #1, 2b\n"
		     "3: cbz %[call], 4f\n"
		     "mov x0, %[call]\n"
		     "hvc #0\n"
		     "4: b 4b"
		     : : [mmu] "r"(&mmus[0]), [go] "r"(GO_ADDRESS),
			 [reason] "r"(reason_of(mode)),
			 [doorbell] "r"(CONTROLLER + KMD_DOORBELL),
			 [status] "r"(CONTROLLER + KMD_STATUS),
			 [call] "r"(last_call_of(mode))
		     : "x0", "x1", "x2", "x3", "x4", "x30", "memory");
}

static void OWN_FRAME die(enum mode mode)
{
	switch (mode) {
	case MODE_WAIT_AND_PANIC:
		while (!read32(GO_ADDRESS))
			;
		panic();
		hang();
		break;
	case MODE_PANIC_AND_RESET_DISK:
		wait_ns(DISK_DELAY_NS);
		panic_and_reset_disk(find_disk());
		print("answered\n");
		hang();
		break;
	case MODE_PANIC_AND_RESET:
		panic();
		psci(PSCI_SYSTEM_RESET);
		break;
	case MODE_RESET:
		psci(PSCI_SYSTEM_RESET);
		break;
	case MODE_HANG:
		hang();
		break;
	case MODE_JUMP_INTO_THE_VOID:
		jump_into_the_void();
		break;
	case MODE_STACK_OVERFLOW:
		overflow_the_stack();
		break;
	case MODE_BROKEN_VECTORS:
		break_the_vectors();
		break;
	default:
		psci(PSCI_SYSTEM_OFF);
		break;
	}
}

static void ring_and_report(uint32_t reason, uint32_t rings)
{
	while (rings--)
		ring(reason);
	print_number("result ", read32(CONTROLLER + KMD_LAST_RESULT));
	print_number("dumps ", read32(CONTROLLER + KMD_DUMP_COUNT));
	print_number("regions ", read32(CONTROLLER + KMD_LAST_REGIONS));
	print_number("bytes ", read64(CONTROLLER + KMD_LAST_BYTES));
}

void payload(void)
{
	enum mode mode = read32(MODE_ADDRESS);

	if (read32(CONTROLLER + KMD_MAGIC) != KMD_MAGIC_VALUE) {
		print("no controller\n");
		psci(PSCI_SYSTEM_OFF);
	}
	if (read32(CONTROLLER + KMD_LAST_RESULT)) {
		print_number("before the reset: reason ",
			     read32(CONTROLLER + KMD_LAST_REASON));
		print_number("before the reset: dumps ",
			     read32(CONTROLLER + KMD_DUMP_COUNT));
		print_number("before the reset: regions now ",
			     read32(CONTROLLER + KMD_REGION_COUNT));
		psci(PSCI_SYSTEM_OFF);
	}
	fill_memory();
	if (mode == MODE_FULL_TABLE) {
		fill_the_table();
		ring_and_report(KMD_REASON_PANIC, 1);
		psci(PSCI_SYSTEM_OFF);
	}
	register_region("message", KMD_KIND_MEMORY, message, sizeof(message));
	register_region("pattern", KMD_KIND_MEMORY, pattern, sizeof(pattern));
	register_region("vmcoreinfo", KMD_KIND_VMCOREINFO, vmcoreinfo,
			sizeof(vmcoreinfo));
	print_number("message at ", (uint64_t)message);
	print_number("pattern at ", (uint64_t)pattern);
	if (mode == MODE_ONE_DUMP) {
		ring_and_report(KMD_REASON_PANIC, 1);
	} else if (mode == MODE_STORM) {
		ring_and_report(KMD_REASON_REQUEST, STORM_RINGS);
	} else if (mode == MODE_RACE) {
		start_race();
		ring_during_the_race();
	}
	if (read64(TABLES_ADDRESS))
		die_with_tables_at(read64(TABLES_ADDRESS), mode);
	print("ready\n");
	die(mode);
}

/* QEMU enters here; all registers except the PC are undefined. */
asm(".cfi_sections .debug_frame\n"
    ".section .start, \"ax\"\n"
    ".global start\n"
    "start:\n"
    "	.cfi_startproc\n"
    "	.cfi_undefined x30\n"
    "	adrp x0, stack_top\n"
    "	add x0, x0, :lo12:stack_top\n"
    "	mov sp, x0\n"
    "	bl payload\n"
    "	.cfi_endproc\n"
    ".bss\n"
    ".balign 16\n"
    "	.skip 4096\n"
    "stack_top:\n"
    ".text\n");
