/* modules/facts/hardware.c - processors, memory, board, uptime, volume groups. */
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/proc.h"
#include "lib/base/scope.h"
#include "modules/facts/facts.h"

struct memory {
	int64_t total, free, buffers, cached, swap_total, swap_free, swap_cached; /* MiB */
};

static void memory_read(struct hf_facts *f, struct memory *m)
{
	const struct {
		const char *key;
		int64_t *value;
	} rows[] = { { "MemTotal", &m->total }, { "MemFree", &m->free }, { "Buffers", &m->buffers },
		{ "Cached", &m->cached }, { "SwapTotal", &m->swap_total }, { "SwapFree", &m->swap_free },
		{ "SwapCached", &m->swap_cached } };
	const char *text = hf_facts_file(f, "/proc/meminfo");
	struct hf_str rest = hf_str(text == NULL ? "" : text), line;
	while (hf_str_split(&rest, '\n', &line))
		for (size_t i = 0; i < HF_COUNT(rows); i++) {
			size_t n = strlen(rows[i].key);
			if (line.n > n && line.p[n] == ':' && memcmp(line.p, rows[i].key, n) == 0)
				*rows[i].value = strtoll(line.p + n + 1, NULL, 10) / 1024;
		}
}

static void memory_facts(struct hf_facts *f)
{
	struct memory m = { 0 };
	memory_read(f, &m);
	hf_facts_int(f, "memtotal_mb", m.total);
	hf_facts_int(f, "memfree_mb", m.free);
	hf_facts_int(f, "swaptotal_mb", m.swap_total);
	hf_facts_int(f, "swapfree_mb", m.swap_free);
	int64_t nocache = m.cached + m.free + m.buffers;
	const struct {
		const char *group, *name;
		int64_t value;
	} rows[] = { { "real", "total", m.total }, { "real", "used", m.total - m.free },
		{ "real", "free", m.free }, { "nocache", "free", nocache },
		{ "nocache", "used", m.total - nocache }, { "swap", "total", m.swap_total },
		{ "swap", "free", m.swap_free }, { "swap", "used", m.swap_total - m.swap_free },
		{ "swap", "cached", m.swap_cached } };
	struct hf_value *memory = hf_value_dict(f->a);
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		struct hf_value *group = hf_dict_get(memory, rows[i].group);
		if (group == NULL) {
			group = hf_value_dict(f->a);
			hf_dict_put(memory, rows[i].group, group);
		}
		hf_dict_put(group, rows[i].name, hf_value_int(f->a, rows[i].value));
	}
	hf_facts_put(f, "memory_mb", memory);
}

/* What /proc/cpuinfo says, counted the way Ansible counts. */
struct processors {
	struct hf_value *names;
	struct hf_value *sockets, *cores; /* physical id → cpu cores, core id → siblings */
	int64_t entries, vendors, models, processors;
	const char *socket, *core;
};

static void processors_line(struct hf_facts *f, struct processors *p, const char *key, const char *value)
{
	static const char *const named[] = { "model name", "Processor", "vendor_id", "cpu", "Vendor",
		"processor", NULL };
	for (size_t i = 0; named[i] != NULL; i++) {
		if (strcmp(key, named[i]) != 0)
			continue;
		hf_list_append(p->names, hf_value_cstr(f->a, value));
		p->vendors += strcmp(key, "vendor_id") == 0;
		p->models += strcmp(key, "model name") == 0;
		p->processors += strcmp(key, "processor") == 0;
		p->entries++;
	}
	if (strcmp(key, "physical id") == 0) {
		p->socket = value;
		if (hf_dict_get(p->sockets, value) == NULL)
			hf_dict_put(p->sockets, value, hf_value_int(f->a, 1));
	} else if (strcmp(key, "core id") == 0) {
		p->core = value;
		if (hf_dict_get(p->sockets, value) == NULL)
			hf_dict_put(p->cores, value, hf_value_int(f->a, 1));
	} else if (strcmp(key, "cpu cores") == 0) {
		hf_dict_put(p->sockets, p->socket, hf_value_int(f->a, strtoll(value, NULL, 10)));
	} else if (strcmp(key, "siblings") == 0) {
		hf_dict_put(p->cores, p->core, hf_value_int(f->a, strtoll(value, NULL, 10)));
	}
}

static int64_t first_number(const struct hf_value *dict, int64_t fallback)
{
	HF_DICT_EACH (dict, e) {
		return hf_entry_value(e)->u.integer;
	}
	return fallback;
}

static bool architecture_counts_processors(const struct hf_facts *f)
{
	const char *architecture = hf_facts_get(f, "architecture", "");
	return strncmp(architecture, "armv", 4) == 0 || strncmp(architecture, "aarch", 5) == 0 ||
	       strncmp(architecture, "ppc", 3) == 0;
}

static void processor_facts(struct hf_facts *f)
{
	struct processors p = { .names = hf_value_list(f->a),
		.sockets = hf_value_dict(f->a),
		.cores = hf_value_dict(f->a),
		.socket = "0",
		.core = "0" };
	const char *text = hf_facts_file(f, "/proc/cpuinfo");
	if (text == NULL)
		return;
	struct hf_str rest = hf_str(text), line;
	while (hf_str_split(&rest, '\n', &line)) {
		const char *colon = memchr(line.p, ':', line.n);
		struct hf_str key =
			hf_str_trim(hf_strn(line.p, colon == NULL ? line.n : (size_t)(colon - line.p)));
		struct hf_str value =
			colon == NULL
				? HF_STR("")
				: hf_str_trim(hf_strn(colon + 1, line.n - (size_t)(colon - line.p) - 1));
		processors_line(f, &p, hf_str_dup(f->a, key), hf_str_dup(f->a, value));
	}
	if (p.vendors > 0 && p.vendors == p.models)
		p.entries = p.vendors;
	if (architecture_counts_processors(f))
		p.entries = p.processors;
	int64_t sockets = hf_dict_len(p.sockets) > 0 ? (int64_t)hf_dict_len(p.sockets) : p.entries;
	int64_t cores = first_number(p.sockets, 0) > 0 ? first_number(p.sockets, 1) : 1;
	int64_t threads = (int64_t)nearbyint((double)first_number(p.cores, 1) / (double)cores);
	hf_facts_put(f, "processor", p.names);
	hf_facts_int(f, "processor_count", sockets);
	hf_facts_int(f, "processor_cores", cores);
	hf_facts_int(f, "processor_threads_per_core", threads);
	hf_facts_int(f, "processor_vcpus", threads * sockets * cores);
	cpu_set_t usable;
	int64_t count =
		sched_getaffinity(0, sizeof(usable), &usable) == 0 ? CPU_COUNT(&usable) : p.processors;
	hf_facts_int(f, "processor_nproc", count);
}

/* SMBIOS chassis types in the words Ansible prints. */
static const char *const chassis[] = { "Unknown", "Other", "Unknown", "Desktop", "Low Profile Desktop",
	"Pizza Box", "Mini Tower", "Tower", "Portable", "Laptop", "Notebook", "Hand Held", "Docking Station",
	"All In One", "Sub Notebook", "Space-saving", "Lunch Box", "Main Server Chassis", "Expansion Chassis",
	"Sub Chassis", "Bus Expansion Chassis", "Peripheral Chassis", "RAID Chassis", "Rack Mount Chassis",
	"Sealed-case PC", "Multi-system", "CompactPCI", "AdvancedTCA", "Blade", "Blade Enclosure", "Tablet",
	"Convertible", "Detachable", "IoT Gateway", "Embedded PC", "Mini PC", "Stick PC" };

static void board_facts(struct hf_facts *f)
{
	static const char *const rows[][2] = { { "bios_date", "bios_date" }, { "bios_vendor", "bios_vendor" },
		{ "bios_version", "bios_version" }, { "board_asset_tag", "board_asset_tag" },
		{ "board_name", "board_name" }, { "board_serial", "board_serial" },
		{ "board_vendor", "board_vendor" }, { "board_version", "board_version" },
		{ "chassis_asset_tag", "chassis_asset_tag" }, { "chassis_serial", "chassis_serial" },
		{ "chassis_vendor", "chassis_vendor" }, { "chassis_version", "chassis_version" },
		{ "form_factor", "chassis_type" }, { "product_name", "product_name" },
		{ "product_serial", "product_serial" }, { "product_uuid", "product_uuid" },
		{ "product_version", "product_version" }, { "system_vendor", "sys_vendor" } };
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		const char *text = hf_facts_file(f, "/sys/devices/virtual/dmi/id/%s", rows[i][1]);
		uint64_t type;
		if (text != NULL && strcmp(rows[i][0], "form_factor") == 0)
			text = hf_str_to_uint64(hf_str(text), &type) && type < HF_COUNT(chassis)
				       ? chassis[type]
				       : hf_sprintf(f->a, "unknown (%s)", text);
		hf_facts_text(f, rows[i][0], text == NULL ? "NA" : text);
	}
}

static void uptime_fact(struct hf_facts *f)
{
	const char *text = hf_facts_file(f, "/proc/uptime");
	if (text != NULL)
		hf_facts_int(f, "uptime_seconds", strtoll(text, NULL, 10));
}

/* Rows of vgs, lvs or pvs as lists of fields. */
static struct hf_value *volume_rows(struct hf_facts *f, const char *program)
{
	struct hf_value *rows = hf_value_list(f->a);
	const char *argv[] = { program, "--noheadings", "--nosuffix", "--units", "g", "--separator", ",",
		NULL };
	struct hf_proc_spec spec = { .argv = argv, .timeout_ms = f->timeout_ms, .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result ran;
	if (hf_task_run(f->c, &spec, &ran, NULL) < 0 || ran.status != 0)
		return rows;
	struct hf_str rest = ran.out, line, field;
	while (hf_str_split(&rest, '\n', &line)) {
		line = hf_str_trim(line);
		struct hf_value *row = hf_value_list(f->a);
		while (line.n > 0 && hf_str_split(&line, ',', &field))
			hf_list_append(row, hf_value_str(f->a, field));
		if (hf_list_len(row) > 5 || (hf_list_len(row) > 3 && strcmp(program, "lvs") == 0))
			hf_list_append(rows, row);
	}
	return rows;
}

static struct hf_value *volume_dict(
	struct hf_facts *f, const char *program, const char *const (*fields)[2], size_t n)
{
	struct hf_value *rows = volume_rows(f, program), *dict = hf_value_dict(f->a);
	for (size_t i = 0; i < hf_list_len(rows); i++) {
		struct hf_value *row = hf_list_at(rows, i), *entry = hf_value_dict(f->a);
		for (size_t k = 0; k < n; k++) {
			int64_t column = strtoll(fields[k][1], NULL, 10), length = (int64_t)hf_list_len(row);
			hf_dict_put(entry, fields[k][0],
				hf_list_at(row, (size_t)(column < 0 ? length + column : column)));
		}
		hf_dict_put(dict, hf_list_at(row, 0)->u.string.p, entry);
	}
	return dict;
}

/* Is LVM's label in one of the first sectors, where alone LVM looks for it? What cannot be read it cannot
 * either. */
static bool device_is_volume(struct hf_facts *f, const char *name)
{
	enum { SECTOR = 512, SECTORS = 4 };
	char start[SECTOR * SECTORS];
	hf_auto_fd fd = open(hf_sprintf(f->a, "/dev/%s", name), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || pread(fd, start, sizeof(start), 0) != (ssize_t)sizeof(start))
		return false;
	for (size_t i = 0; i < SECTORS; i++)
		if (memcmp(start + i * SECTOR, "LABELONE", 8) == 0)
			return true;
	return false;
}

/* Three programs that scan every disk are most of what the facts of a host cost: not where there is nothing
 * for them to find. */
static bool volumes_possible(struct hf_facts *f)
{
	struct hf_value *devices = hf_facts_names(f, "/sys/class/block");
	for (size_t i = 0; i < hf_list_len(devices); i++)
		if (device_is_volume(f, hf_list_at(devices, i)->u.string.p))
			return true;
	return false;
}

static void volume_facts(struct hf_facts *f)
{
	static const char *const vgs[][2] = { { "size_g", "-2" }, { "free_g", "-1" }, { "num_lvs", "2" },
		{ "num_pvs", "1" } };
	static const char *const lvs[][2] = { { "size_g", "3" }, { "vg", "1" } };
	static const char *const pvs[][2] = { { "size_g", "4" }, { "free_g", "5" }, { "vg", "1" } };
	if (geteuid() != 0 || hf_proc_which(f->a, "vgs") == NULL) {
		hf_facts_text(f, "lvm", "N/A");
		return;
	}
	const struct {
		const char *program;
		const char *const (*fields)[2];
		size_t n;
	} tables[] = { { "lvs", lvs, HF_COUNT(lvs) }, { "vgs", vgs, HF_COUNT(vgs) },
		{ "pvs", pvs, HF_COUNT(pvs) } };
	struct hf_value *lvm = hf_value_dict(f->a);
	bool possible = volumes_possible(f);
	for (size_t i = 0; i < HF_COUNT(tables); i++)
		hf_dict_put(lvm, tables[i].program,
			possible ? volume_dict(f, tables[i].program, tables[i].fields, tables[i].n)
				 : hf_value_dict(f->a));
	hf_facts_put(f, "lvm", lvm);
}

void hf_facts_hardware(struct hf_facts *f)
{
	processor_facts(f);
	memory_facts(f);
	board_facts(f);
	hf_facts_devices(f);
	uptime_fact(f);
	volume_facts(f);
	hf_facts_mounts(f);
}
