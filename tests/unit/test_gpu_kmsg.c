/* Forty pieces of kernel logs and what they say about GPUs. */
#include "tests/unit/unit.h"

#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "modules/gpu_kmsg.h"

/* want: "kind number pci severity xCOUNT", comma-separated; "": nothing. */
static const struct snippet {
	const char *title, *log, *want;
} snippets[] = {
	{ "nothing about GPUs", "6,1,2,-;usb 1-1: new device\n", "" },
	{ "empty", "", "" },
	{ "xid 79 with text", "NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, GPU has fallen off the bus.\n",
		"xid 79 0000:3b:00 fatal x1" },
	{ "as /dev/kmsg writes it", "4,812,91234567,-;NVRM: Xid (PCI:0000:3b:00): 48, pid=9, DBE\n",
		"xid 48 0000:3b:00 fatal x1" },
	{ "as dmesg writes it", "[ 1234.567890] NVRM: Xid (PCI:0000:3b:00): 48, pid=9, DBE\n",
		"xid 48 0000:3b:00 fatal x1" },
	{ "without PCI:", "NVRM: Xid (0000:03:00): 31, Ch 00000001, engmask 00000101\n",
		"xid 31 0000:03:00 application x1" },
	{ "with a function", "NVRM: Xid (PCI:0000:3b:00.0): 63, pid='<unknown>'\n",
		"xid 63 0000:3b:00 fatal x1" },
	{ "a long domain", "NVRM: Xid (PCI:00010000:3b:00): 94, Contained\n",
		"xid 94 00010000:3b:00 application x1" },
	{ "upper case", "NVRM: Xid (PCI:0000:AB:00): 95, Uncontained\n", "xid 95 0000:ab:00 fatal x1" },
	{ "a job's page fault", "NVRM: Xid (PCI:0000:10:1c): 31, pid=4, MMU Fault\n",
		"xid 31 0000:10:1c application x1" },
	{ "a job's exception", "NVRM: Xid (PCI:0000:10:1c): 13, pid=4, Graphics Exception\n",
		"xid 13 0000:10:1c application x1" },
	{ "the same twice", "NVRM: Xid (PCI:0000:10:1c): 13, a\nNVRM: Xid (PCI:0000:10:1c): 13, b\n",
		"xid 13 0000:10:1c application x2" },
	{ "two cards", "NVRM: Xid (PCI:0000:10:1c): 74, a\nNVRM: Xid (PCI:0000:20:1c): 74, b\n",
		"xid 74 0000:10:1c fatal x1, xid 74 0000:20:1c fatal x1" },
	{ "link error", "NVRM: Xid (PCI:0000:10:1c): 74, NVLink: fatal error detected on link 6\n",
		"xid 74 0000:10:1c fatal x1" },
	{ "system processor",
		"NVRM: Xid (PCI:0000:10:1c): 119, pid=1, Timeout after 6s of waiting for RPC response\n",
		"xid 119 0000:10:1c fatal x1" },
	{ "system processor failed", "NVRM: Xid (PCI:0000:10:1c): 120, GSP task exception\n",
		"xid 120 0000:10:1c fatal x1" },
	{ "a number nobody knows", "NVRM: Xid (PCI:0000:10:1c): 999, something\n",
		"xid 999 0000:10:1c warning x1" },
	{ "many corrected errors", "NVRM: Xid (PCI:0000:10:1c): 92, High single-bit ECC error rate\n",
		"xid 92 0000:10:1c warning x1" },
	{ "the row cannot be replaced", "NVRM: Xid (PCI:0000:10:1c): 64, pid=1, Row Remapper\n",
		"xid 64 0000:10:1c fatal x1" },
	{ "context switch", "NVRM: Xid (PCI:0000:10:1c): 109, pid=1, Ch 8, errorString CTX SWITCH TIMEOUT\n",
		"xid 109 0000:10:1c fatal x1" },
	{ "fell off without a number", "NVRM: GPU 0000:5e:00.0: GPU has fallen off the bus.\n",
		"off_bus 0 0000:5e:00 fatal x1" },
	{ "fell off, then the number",
		"NVRM: GPU 0000:5e:00.0: GPU has fallen off the bus.\n"
		"NVRM: Xid (PCI:0000:5e:00): 79, pid=1, GPU has fallen off the bus.\n",
		"off_bus 0 0000:5e:00 fatal x2" },
	{ "the number, then fell off",
		"NVRM: Xid (PCI:0000:5e:00): 79, pid=1\n"
		"NVRM: GPU 0000:5e:00.0: GPU has fallen off the bus.\n",
		"xid 79 0000:5e:00 fatal x2" },
	{ "over three lines",
		"NVRM: The NVIDIA GPU 0000:b4:00.0\nNVRM: (PCI ID: 10de:2330) installed in this system has\n"
		"NVRM: fallen off the bus and is not responding to commands.\n",
		"off_bus 0 0000:b4:00 fatal x1" },
	{ "over two records of /dev/kmsg",
		"3,10,20,-;NVRM: GPU at 0000:b4:00.0 stopped:\n"
		"3,11,21,-; NVRM: GPU has fallen off the bus.\n",
		"off_bus 0 0000:b4:00 fatal x1" },
	{ "a continuation without its prefix", "NVRM: GPU 0000:b4:00.0:\n GPU has fallen off the bus.\n",
		"off_bus 0 0000:b4:00 fatal x1" },
	{ "the card was named too long ago",
		"NVRM: GPU 0000:b4:00.0 opened\na\nb\nc\nd\ne\nf\ng\nh\n"
		" something has fallen off the bus\n",
		"" },
	{ "another device fell", "usb 3-1: device has fallen off the bus\n", "" },
	{ "the GPU is lost", "NVRM: GPU 0000:b4:00.0: GPU is lost. Reboot the system to recover this GPU\n",
		"off_bus 0 0000:b4:00 fatal x1" },
	{ "the driver cannot start", "NVRM: GPU 0000:00:1e.0: RmInitAdapter failed! (0x26:0x56:1474)\n",
		"init_failed 0 0000:00:1e fatal x1" },
	{ "again and again",
		"NVRM: GPU 0000:00:1e.0: RmInitAdapter failed! (0x26:0x56:1474)\n"
		"NVRM: GPU 0000:00:1e.0: rm_init_adapter failed, device minor number 0\n",
		"init_failed 0 0000:00:1e fatal x2" },
	{ "library and module differ", "NVRM: API mismatch: the client has the version 550.90.07, but\n",
		"init_failed 0  fatal x1" },
	{ "no room", "NVRM: This PCI I/O region assigned to your NVIDIA device is invalid:\n",
		"init_failed 0  fatal x1" },
	{ "a switch, fatal",
		"nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 30 LTSSM Fault Up\n",
		"sxid 20034 0000:c1:00 fatal x1" },
	{ "a switch, not fatal",
		"nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 12028, Non-fatal, Link 32 egress\n",
		"sxid 12028 0000:c1:00 warning x1" },
	{ "a switch's details are not another",
		"nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 11012, Severity 1 Engine\n",
		"sxid 11012 0000:c1:00 warning x1" },
	{ "loading is no fault",
		"nvidia-nvlink: Nvlink Core is being initialized\nNVRM: loading NVIDIA UNIX\n", "" },
	{ "a process names a card", "NVRM: GPU 0000:3b:00.0 opened by pid 4\n", "" },
	{ "a line cut short", "NVRM: Xid (PCI:0000:3b", "" },
	{ "no number", "NVRM: Xid (PCI:0000:3b:00): , pid=1\n", "" },
};

_Static_assert(HF_COUNT(snippets) >= 40, "forty pieces of logs");

static void snippet_row(void **state)
{
	const struct snippet *r = *state;
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf b = hf_buf_init(1 << 16);
	struct hf_value *events = hf_kmsg_events(a, hf_str(r->log), NULL);
	for (size_t i = 0; i < hf_list_len(events); i++) {
		const struct hf_value *e = hf_list_at(events, i);
		hf_buf_printf(&b, "%s%s %lld %s %s x%lld", i > 0 ? ", " : "", hf_dict_cstr(e, "kind", ""),
			(long long)hf_dict_int(e, "number", -1), hf_dict_cstr(e, "pci", ""),
			hf_dict_cstr(e, "severity", ""), (long long)hf_dict_int(e, "count", 0));
	}
	assert_string_equal(b.n == 0 ? "" : b.p, r->want);
}

static void playbooks_may_say_otherwise(void **state)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *overrides = NULL;
	(void)state;
	assert_int_equal(
		hf_json_parse(a, hf_str("{\"31\": \"fatal\", \"63\": \"ignored\", \"500\": \"application\"}"),
			"xids", &overrides, NULL),
		0);
	struct hf_value *events = hf_kmsg_events(a,
		hf_str("NVRM: Xid (PCI:0000:3b:00): 31, a\nNVRM: Xid (PCI:0000:3b:00): 63, b\n"
		       "NVRM: Xid (PCI:0000:3b:00): 500, c\n"),
		overrides);
	assert_int_equal(hf_list_len(events), 2);
	assert_string_equal(hf_dict_cstr(hf_list_at(events, 0), "severity", ""), "fatal");
	assert_string_equal(hf_dict_cstr(hf_list_at(events, 1), "severity", ""), "application");
}

int main(void)
{
	UNIT_ROWS(rows, snippets, snippet_row);
	struct CMUnitTest tests[HF_COUNT(snippets) + 1];
	memcpy(tests, rows, sizeof(rows));
	tests[HF_COUNT(snippets)] = (struct CMUnitTest)cmocka_unit_test(playbooks_may_say_otherwise);
	return UNIT_RUN(tests);
}
