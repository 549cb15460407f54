#include "modules/systemd_bus.h"

#include <dirent.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/scope.h"

#define MANAGER      "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_FACE "org.freedesktop.systemd1.Manager"
#define PROPERTIES   "org.freedesktop.DBus.Properties"

enum { PROPERTIES_MAX = 2000, ITEMS_MAX = 100000, DEPTH_MAX = 3 };

static void bus_close(sd_bus **bus)
{
	if (*bus != NULL)
		sd_bus_flush_close_unref(*bus);
	*bus = NULL;
}
static void message_unref(sd_bus_message **m)
{
	if (*m != NULL)
		sd_bus_message_unref(*m);
	*m = NULL;
}
#define auto_bus     HF_CLEANUP(bus_close) sd_bus *
#define auto_message HF_CLEANUP(message_unref) sd_bus_message *

bool hf_systemd_runs(void)
{
	return hf_fs_is_dir("/run/systemd/system");
}

bool hf_systemd_installed(void)
{
	char target[256];
	ssize_t n = readlink("/sbin/init", target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strcmp(hf_path_base(target), "systemd") == 0;
}

const char *hf_unit_name(struct hf_arena *a, const char *name)
{
	static const char *const suffixes[] = { ".service", ".socket", ".target", ".timer", ".mount",
		".automount", ".path", ".slice", ".scope", ".device", ".swap", NULL };
	for (size_t i = 0; suffixes[i] != NULL; i++)
		if (hf_str_ends(hf_str(name), suffixes[i]))
			return name;
	return hf_sprintf(a, "%s.service", name);
}

/* The manager's own socket first: it is there without a bus daemon; others than root go through the bus. */
static int bus_open(sd_bus **ret, struct hf_error *err)
{
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, "unix:path=/run/systemd/private");
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0) {
		bus_close(&bus);
		r = sd_bus_open_system(&bus);
	}
	if (r < 0) {
		errno = -r;
		return hf_fail_errno(err, HF_E_IO, "reach systemd");
	}
	*ret = bus;
	return 0;
}

/* --- properties as systemctl show prints them --- */
static void timestamp_text(struct hf_buf *out, uint64_t usec)
{
	time_t seconds = (time_t)(usec / 1000000);
	struct tm tm;
	char text[64];
	if (usec == 0 || usec == UINT64_MAX)
		return;
	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M:%S %Z", &tm);
	hf_buf_puts(out, text);
}

static void timespan_text(struct hf_buf *out, uint64_t usec)
{
	static const struct {
		const char *name;
		uint64_t usec;
	} units[] = { { "y", 31557600000000 }, { "month", 2629800000000 }, { "w", 604800000000 },
		{ "d", 86400000000 }, { "h", 3600000000 }, { "min", 60000000 }, { "s", 1000000 },
		{ "ms", 1000 }, { "us", 1 } };
	if (usec == UINT64_MAX)
		hf_buf_puts(out, "infinity");
	else if (usec == 0)
		hf_buf_puts(out, "0");
	else
		for (size_t i = 0, first = 1; i < HF_COUNT(units); i++)
			if (usec >= units[i].usec) {
				hf_buf_printf(out, "%s%llu%s", first ? "" : " ",
					(unsigned long long)(usec / units[i].usec), units[i].name);
				usec %= units[i].usec;
				first = 0;
			}
}

static void number_text(struct hf_buf *out, const char *name, uint64_t value, bool wide)
{
	struct hf_str key = hf_str(name);
	if (wide && hf_str_ends(key, "Timestamp"))
		timestamp_text(out, value);
	else if (wide && hf_str_ends(key, "USec"))
		timespan_text(out, value);
	else if (wide && value == UINT64_MAX)
		hf_buf_puts(out,
			strncmp(name, "Limit", 5) == 0 || hf_str_ends(key, "Max") ? "infinity" : "[not set]");
	else
		hf_buf_printf(out, "%llu", (unsigned long long)value);
}

static bool plain_text(sd_bus_message *m, const char *name, char type, struct hf_buf *out)
{
	union {
		const char *s;
		int b;
		int32_t i;
		uint32_t u;
		int64_t x;
		uint64_t t;
		uint8_t y;
		uint16_t q;
		double d;
	} v = { 0 };
	if (sd_bus_message_read_basic(m, type, &v) <= 0)
		return false;
	switch (type) {
	case 's':
	case 'o':
	case 'g':
		hf_buf_puts(out, v.s);
		return true;
	case 'b':
		hf_buf_puts(out, v.b ? "yes" : "no");
		return true;
	case 'i':
		hf_buf_printf(out, "%d", v.i);
		return true;
	case 'x':
		hf_buf_printf(out, "%lld", (long long)v.x);
		return true;
	case 'u':
		number_text(out, name, v.u, false);
		return true;
	case 't':
		number_text(out, name, v.t, true);
		return true;
	default:
		return false;
	}
}

/* A basic value, or an array of texts; anything deeper is left out (false). */
static bool variant_text(sd_bus_message *m, const char *name, const char *type, struct hf_buf *out)
{
	if (strlen(type) == 1)
		return plain_text(m, name, type[0], out);
	if (strcmp(type, "as") != 0) {
		sd_bus_message_skip(m, type);
		return false;
	}
	if (sd_bus_message_enter_container(m, 'a', "s") < 0)
		return false;
	const char *text;
	for (int i = 0; i < ITEMS_MAX && sd_bus_message_read_basic(m, 's', &text) > 0; i++)
		hf_buf_printf(out, "%s%s", i == 0 ? "" : " ", text);
	sd_bus_message_exit_container(m);
	return true;
}

static void properties_take(sd_bus_message *m, struct hf_value *status)
{
	struct hf_arena *a = status->u.dict->map.arena;
	hf_auto_buf text = hf_buf_init(HF_EDIT_MAX);
	if (sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
		return;
	for (int i = 0; i < PROPERTIES_MAX && sd_bus_message_enter_container(m, 'e', "sv") > 0; i++) {
		const char *name = NULL, *type = NULL;
		char kind;
		if (sd_bus_message_read_basic(m, 's', &name) < 0 ||
			sd_bus_message_peek_type(m, &kind, &type) < 0 ||
			sd_bus_message_enter_container(m, 'v', type) < 0)
			return;
		hf_buf_clear(&text);
		if (variant_text(m, name, type, &text))
			hf_dict_put(status, name, hf_value_str(a, hf_buf_str(&text)));
		sd_bus_message_exit_container(m);
		sd_bus_message_exit_container(m);
	}
}

static int bus_fail(struct hf_error *err, const sd_bus_error *said, int r, const char *what)
{
	return hf_fail(err, HF_E_IO, "%s: %s", what, said->message != NULL ? said->message : strerror(-r));
}

static int properties_get(
	sd_bus *bus, const char *path, const char *face, struct hf_value *status, struct hf_error *err)
{
	sd_bus_error said = SD_BUS_ERROR_NULL;
	auto_message reply = NULL;
	int r = sd_bus_call_method(bus, MANAGER, path, PROPERTIES, "GetAll", &said, &reply, "s", face);
	if (r >= 0)
		properties_take(reply, status);
	r = r < 0 ? bus_fail(err, &said, r, "ask systemd for a unit") : 0;
	sd_bus_error_free(&said);
	return r;
}

/* "nginx.service" → "org.freedesktop.systemd1.Service" */
static const char *unit_face(struct hf_arena *a, const char *name)
{
	const char *dot = strrchr(name, '.');
	char *face = hf_sprintf(a, MANAGER ".%s", dot == NULL ? "Service" : dot + 1);
	face[sizeof(MANAGER)] = (char)(face[sizeof(MANAGER)] & ~0x20);
	return face;
}

static int file_state(struct hf_arena *a, sd_bus *bus, const char *name, const char **ret)
{
	sd_bus_error said = SD_BUS_ERROR_NULL;
	auto_message reply = NULL;
	const char *state = NULL;
	int r = sd_bus_call_method(
		bus, MANAGER, MANAGER_PATH, MANAGER_FACE, "GetUnitFileState", &said, &reply, "s", name);
	if (r >= 0 && sd_bus_message_read_basic(reply, 's', &state) > 0)
		*ret = hf_strdup(a, state);
	sd_bus_error_free(&said);
	return r;
}

static int look_bus(
	struct hf_module_context *c, const char *name, bool fresh, struct hf_unit *unit, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	auto_bus bus = NULL;
	int r = bus_open(&bus, err);
	if (r < 0)
		return r;
	sd_bus_error said = SD_BUS_ERROR_NULL;
	auto_message reply = NULL;
	const char *path = NULL;
	r = sd_bus_call_method(
		bus, MANAGER, MANAGER_PATH, MANAGER_FACE, "LoadUnit", &said, &reply, "s", name);
	if (r >= 0)
		r = sd_bus_message_read_basic(reply, 'o', &path);
	if (r < 0) {
		r = bus_fail(err, &said, r, hf_sprintf(a, "load %s", name));
		sd_bus_error_free(&said);
		return r;
	}
	r = properties_get(bus, path, MANAGER ".Unit", unit->status, err);
	if (r == 0)
		r = properties_get(bus, path, unit_face(a, name), unit->status, err);
	unit->file_state = hf_dict_cstr(unit->status, "UnitFileState", "");
	if (fresh)
		file_state(a, bus, name, &unit->file_state);
	return r;
}

/* For the managers that are not ours to reach: another user's, or none at all. */
static int look_program(
	struct hf_module_context *c, const char *scope, struct hf_unit *unit, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *flag = hf_sprintf(a, "--%s", scope);
	struct hf_words show = hf_words(a, "systemctl", flag, "show", unit->name, NULL);
	struct hf_words state = hf_words(a, "systemctl", flag, "is-enabled", unit->name, NULL);
	struct hf_proc_result ran;
	int r = hf_host_run(c, &show, NULL, &ran, err);
	if (r < 0)
		return r;
	struct hf_str rest = ran.out, line;
	while (ran.status == 0 && hf_str_split(&rest, '\n', &line)) {
		const char *equals = memchr(line.p, '=', line.n);
		if (equals != NULL)
			hf_dict_put(unit->status, hf_strndup(a, line.p, (size_t)(equals - line.p)),
				hf_value_str(a, hf_strn(equals + 1, line.n - (size_t)(equals - line.p) - 1)));
	}
	r = hf_host_run(c, &state, NULL, &ran, err);
	if (r < 0)
		return r;
	struct hf_str first;
	rest = ran.out;
	unit->file_state = hf_str_split(&rest, '\n', &first) ? hf_str_dup(a, hf_str_trim(first)) : "";
	return 0;
}

int hf_unit_look(struct hf_module_context *c, const char *name, const char *scope, bool fresh,
	struct hf_unit *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_unit unit = { .name = hf_unit_name(a, name), .file_state = "", .status = hf_value_dict(a) };
	bool bus = strcmp(scope, "system") == 0 && hf_systemd_runs();
	int r = bus ? look_bus(c, unit.name, fresh, &unit, err) : look_program(c, scope, &unit, err);
	if (r < 0)
		return r;
	unit.load = hf_dict_cstr(unit.status, "LoadState", "");
	unit.active = hf_dict_cstr(unit.status, "ActiveState", "");
	unit.load_error = hf_dict_cstr(unit.status, "LoadError", "");
	bool known = unit.load[0] != '\0' && strcmp(unit.load, "not-found") != 0;
	bool file = unit.file_state[0] != '\0' && strcmp(unit.file_state, "not-found") != 0;
	unit.found = known || (unit.active[0] == '\0' && file);
	*ret = unit;
	return 0;
}

/* --- is the manager's view of the unit files old? --- */
static bool newer_than(const char *path, uint64_t usec)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return false;
	return (uint64_t)st.st_mtim.tv_sec * 1000000 + (uint64_t)st.st_mtim.tv_nsec / 1000 > usec;
}

static bool folder_newer(struct hf_arena *a, const char *path, uint64_t usec, int depth)
{
	if (newer_than(path, usec))
		return true;
	hf_auto_dir dir = opendir(path);
	for (int i = 0; dir != NULL && i < ITEMS_MAX; i++) {
		struct dirent *entry = readdir(dir);
		if (entry == NULL)
			break;
		if (entry->d_name[0] == '.')
			continue;
		const char *inner = hf_sprintf(a, "%s/%s", path, entry->d_name);
		bool newer = entry->d_type == DT_DIR && depth < DEPTH_MAX
				     ? folder_newer(a, inner, usec, depth + 1)
				     : newer_than(inner, usec);
		if (newer)
			return true;
	}
	return false;
}

bool hf_systemd_stale(struct hf_arena *a)
{
	static const char *const places[] = { "/etc/systemd/system", "/etc/systemd/system.control",
		"/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
		"/etc/init.d", "/etc/fstab", "/etc/crypttab", "/etc/systemd/system.conf",
		"/etc/systemd/system-generators" };
	/* The first is set by a reload, the second by the boot. */
	static const char *const times[] = { "UnitsLoadTimestamp", "UnitsLoadStartTimestamp" };
	auto_bus bus = NULL;
	uint64_t loaded = 0;
	if (bus_open(&bus, NULL) < 0)
		return true;
	for (size_t i = 0; loaded == 0 && i < HF_COUNT(times); i++)
		if (sd_bus_get_property_trivial(
			    bus, MANAGER, MANAGER_PATH, MANAGER_FACE, times[i], NULL, 't', &loaded) < 0)
			loaded = 0;
	if (loaded == 0)
		return true;
	for (size_t i = 0; i < HF_COUNT(places); i++)
		if (folder_newer(a, places[i], loaded, 0))
			return true;
	return false;
}

/* --- all of them --- */
static void service_put(struct hf_value *all, const char *name, const char *state, const char *status)
{
	struct hf_arena *a = all->u.dict->map.arena;
	if (!hf_str_ends(hf_str(name), ".service"))
		return;
	struct hf_value *entry = hf_dict_get(all, name);
	if (entry == NULL) {
		entry = hf_value_dict(a);
		hf_dict_put(entry, "name", hf_value_cstr(a, name));
		hf_dict_put(entry, "state", hf_value_cstr(a, "unknown"));
		hf_dict_put(entry, "status", hf_value_cstr(a, "unknown"));
		hf_dict_put(entry, "source", hf_value_cstr(a, "systemd"));
		hf_dict_put(all, name, entry);
	}
	if (state != NULL)
		hf_dict_put(entry, "state", hf_value_cstr(a, state));
	if (status != NULL)
		hf_dict_put(entry, "status", hf_value_cstr(a, status));
}

static void loaded_take(sd_bus *bus, sd_bus_message *reply, struct hf_value *all)
{
	(void)bus;
	const char *name, *description, *load, *active, *sub, *follow, *path, *kind, *job;
	uint32_t id;
	if (sd_bus_message_enter_container(reply, 'a', "(ssssssouso)") < 0)
		return;
	for (int i = 0; i < ITEMS_MAX && sd_bus_message_read(reply, "(ssssssouso)", &name, &description,
						 &load, &active, &sub, &follow, &path, &id, &kind, &job) > 0;
		i++) {
		bool bad_load = strcmp(load, "not-found") == 0 || strcmp(load, "masked") == 0;
		service_put(all, name, strcmp(sub, "running") == 0 ? "running" : "stopped",
			bad_load ? load : active);
	}
}

static bool status_is_bad(const char *status)
{
	return strcmp(status, "not-found") == 0 || strcmp(status, "masked") == 0 ||
	       strcmp(status, "failed") == 0;
}

/* A file that no loaded unit is called after may be another name of one: the manager reads it and knows. */
static const char *file_active(struct hf_arena *a, sd_bus *bus, const char *name)
{
	auto_message reply = NULL;
	const char *path;
	char *text = NULL;
	if (sd_bus_call_method(
		    bus, MANAGER, MANAGER_PATH, MANAGER_FACE, "LoadUnit", NULL, &reply, "s", name) < 0 ||
		sd_bus_message_read(reply, "o", &path) < 0 ||
		sd_bus_get_property_string(
			bus, MANAGER, path, "org.freedesktop.systemd1.Unit", "ActiveState", NULL, &text) < 0)
		return "inactive";
	const char *state = hf_strdup(a, text);
	free(text);
	return state;
}

static void files_take(sd_bus *bus, sd_bus_message *reply, struct hf_value *all)
{
	const char *path, *state;
	if (sd_bus_message_enter_container(reply, 'a', "(ss)") < 0)
		return;
	for (int i = 0; i < ITEMS_MAX && sd_bus_message_read(reply, "(ss)", &path, &state) > 0; i++) {
		const char *name = hf_path_base(path);
		const struct hf_value *known = hf_dict_get(all, name);
		bool template = strstr(name, "@.") != NULL;
		if (known == NULL)
			service_put(all, name,
				template || !hf_str_ends(hf_str(name), ".service")
					? "unknown"
					: file_active(all->u.dict->map.arena, bus, name),
				state);
		else if (!status_is_bad(hf_dict_cstr(known, "status", "")))
			service_put(all, name, NULL, state);
	}
}

int hf_systemd_services(struct hf_module_context *c, struct hf_value *ret, struct hf_error *err)
{
	(void)c;
	auto_bus bus = NULL;
	int r = bus_open(&bus, err);
	if (r < 0)
		return r;
	const struct {
		const char *method;
		void (*take)(sd_bus *bus, sd_bus_message *reply, struct hf_value *all);
	} calls[] = { { "ListUnits", loaded_take }, { "ListUnitFiles", files_take } };
	for (size_t i = 0; r >= 0 && i < HF_COUNT(calls); i++) {
		sd_bus_error said = SD_BUS_ERROR_NULL;
		auto_message reply = NULL;
		r = sd_bus_call_method(
			bus, MANAGER, MANAGER_PATH, MANAGER_FACE, calls[i].method, &said, &reply, "");
		if (r >= 0)
			calls[i].take(bus, reply, ret);
		else
			r = bus_fail(err, &said, r, calls[i].method);
		sd_bus_error_free(&said);
	}
	return r < 0 ? r : 0;
}
