/* modules/facts/platform.c - kernel, names, user, clock and what the system is managed with. */
#include <ctype.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/proc.h"
#include "modules/facts/facts.h"

/* As Python's socket.getfqdn(): the first name of this host's address that has a dot, else its first name. */
static const char *fqdn(struct hf_facts *f, const char *node)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	if (getaddrinfo(node, NULL, &hints, &found) != 0)
		return node;
	const void *address =
		found->ai_family == AF_INET6
			? (const void *)&((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_addr
			: (const void *)&((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr;
	socklen_t size = found->ai_family == AF_INET6 ? 16 : 4;
	struct hostent entry, *host = NULL;
	int problem, room = 8192;
	char *buffer = hf_alloc(f->a, (size_t)room);
	const char *name = node;
	if (gethostbyaddr_r(address, size, found->ai_family, &entry, buffer, (size_t)room, &host, &problem) ==
			0 &&
		host != NULL) {
		name = host->h_name;
		for (char **alias = host->h_aliases; strchr(name, '.') == NULL && *alias != NULL; alias++)
			if (strchr(*alias, '.') != NULL)
				name = *alias;
		name = hf_strdup(f->a, name);
	}
	freeaddrinfo(found);
	return name;
}

void hf_facts_platform(struct hf_facts *f)
{
	struct utsname u;
	uname(&u);
	hf_facts_text(f, "system", u.sysname);
	hf_facts_text(f, "kernel", u.release);
	hf_facts_text(f, "kernel_version", u.version);
	hf_facts_text(f, "machine", u.machine);
	const char *full = fqdn(f, u.nodename), *dot = strchr(full, '.');
	hf_facts_text(f, "fqdn", full);
	hf_facts_text(f, "hostname", hf_strndup(f->a, u.nodename, strcspn(u.nodename, ".")));
	hf_facts_text(f, "nodename", u.nodename);
	hf_facts_text(f, "domain", dot == NULL ? "" : dot + 1);
	bool intel32 = u.machine[0] == 'i' && strcmp(u.machine + 2, "86") == 0;
	hf_facts_text(f, "architecture", intel32 ? "i386" : u.machine);
	hf_facts_text(f, "userspace_bits", sizeof(void *) == 8 ? "64" : "32");
	if (strcmp(u.machine, "x86_64") == 0 || intel32)
		hf_facts_text(f, "userspace_architecture", sizeof(void *) == 8 ? "x86_64" : "i386");
	const char *id = hf_facts_file(f, "/var/lib/dbus/machine-id");
	if (id == NULL)
		id = hf_facts_file(f, "/etc/machine-id");
	if (id != NULL)
		hf_facts_text(f, "machine_id", hf_strndup(f->a, id, strcspn(id, "\n")));
}

void hf_facts_selinux(struct hf_facts *f)
{
	struct hf_value *selinux = hf_value_dict(f->a);
	const char *enforce = hf_facts_file(f, "/sys/fs/selinux/enforce");
	const char *policy = hf_facts_file(f, "/sys/fs/selinux/policyvers");
	hf_facts_bool(f, "selinux_python_present", true);
	hf_dict_text(selinux, "status", enforce == NULL ? "disabled" : "enabled");
	if (enforce != NULL) {
		const char *config = hf_facts_file(f, "/etc/selinux/config");
		const char *mode = config == NULL ? NULL : hf_facts_assignment(f, config, "SELINUX");
		const char *type = config == NULL ? NULL : hf_facts_assignment(f, config, "SELINUXTYPE");
		int64_t number = 0;
		if (policy != NULL && hf_str_to_int64(hf_str(policy), &number))
			hf_dict_put(selinux, "policyvers", hf_value_int(f->a, number));
		hf_dict_text(selinux, "config_mode", mode == NULL ? "unknown" : mode);
		hf_dict_text(selinux, "mode", enforce[0] == '1' ? "enforcing" : "permissive");
		hf_dict_text(selinux, "type", type == NULL ? "unknown" : type);
	}
	hf_facts_put(f, "selinux", selinux);
}

void hf_facts_apparmor(struct hf_facts *f)
{
	struct hf_value *apparmor = hf_value_dict(f->a);
	hf_dict_text(
		apparmor, "status", hf_fs_exists("/sys/kernel/security/apparmor") ? "enabled" : "disabled");
	hf_facts_put(f, "apparmor", apparmor);
}

void hf_facts_chroot(struct hf_facts *f)
{
	struct stat mine, first;
	bool inside = false;
	if (hf_facts_env(f, "debian_chroot") != NULL)
		inside = true;
	else if (stat("/", &mine) == 0 && stat("/proc/1/root/.", &first) == 0)
		inside = mine.st_ino != first.st_ino || mine.st_dev != first.st_dev;
	else if (stat("/", &mine) == 0)
		inside = mine.st_ino != 2 && mine.st_ino != 128 &&
			 mine.st_ino != 256; /* ext, xfs, btrfs roots */
	hf_facts_bool(f, "is_chroot", inside);
}

void hf_facts_fips(struct hf_facts *f)
{
	const char *text = hf_facts_file(f, "/proc/sys/crypto/fips_enabled");
	hf_facts_bool(f, "fips", text != NULL && strcmp(text, "1") == 0);
}

/* "pythonX.Y" that /usr/bin/python3 stands for, and Z from where the distribution's package says so. */
static const char *python_version(struct hf_facts *f, const char *program)
{
	char real[PATH_MAX];
	if (realpath(program, real) == NULL)
		return NULL;
	const char *base = hf_path_base(real);
	if (strncmp(base, "python3.", 8) != 0)
		return NULL;
	/* The system's headers tell of the system's program only. */
	const char *library = strncmp(real, "/usr/bin/", 9) != 0
				      ? NULL
				      : hf_facts_file(f, "/usr/include/%s/patchlevel.h", base);
	const char *mark = library == NULL ? NULL : strstr(library, "#define PY_VERSION ");
	const char *open = mark == NULL ? NULL : strchr(mark, '"');
	if (open != NULL)
		return hf_strndup(f->a, open + 1, strcspn(open + 1, "\"+"));
	struct hf_proc_result ran;
	struct hf_proc_spec spec = { .argv = (const char *const[]){ program, "-S", "-V", NULL },
		.timeout_ms = f->timeout_ms,
		.umask = HF_PROC_KEEP_UMASK };
	if (hf_task_run(f->c, &spec, &ran, NULL) < 0 || ran.status != 0 || !hf_str_starts(ran.out, "Python "))
		return hf_sprintf(f->a, "%s.0", base + 6);
	struct hf_str version = hf_str_trim(hf_strn(ran.out.p + 7, ran.out.n - 7));
	return hf_strndup(f->a, version.p, version.n);
}

/* holdfast needs no Python, roles ask which one there is. Where there is none they are told what today's
 * Ansible would at least run on, and `present` is false. */
void hf_facts_python(struct hf_facts *f)
{
	const char *program = hf_proc_which(f->a, "python3");
	const char *version = program == NULL ? NULL : python_version(f, program);
	bool present = version != NULL;
	if (!present)
		version = "3.10.0";
	struct hf_value *python = hf_value_dict(f->a), *parts = hf_value_dict(f->a),
			*list = hf_value_list(f->a);
	const char *names[] = { "major", "minor", "micro" };
	struct hf_str rest = hf_str(version), piece;
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		int64_t number = 0;
		if (hf_str_split(&rest, '.', &piece) && !hf_str_to_int64(piece, &number))
			number = 0;
		hf_dict_put(parts, names[i], hf_value_int(f->a, number));
		hf_list_append(list, hf_value_int(f->a, number));
	}
	hf_dict_text(parts, "releaselevel", "final");
	hf_dict_put(parts, "serial", hf_value_int(f->a, 0));
	hf_list_append(list, hf_value_cstr(f->a, "final"));
	hf_list_append(list, hf_value_int(f->a, 0));
	hf_dict_put(python, "version", parts);
	hf_dict_put(python, "version_info", list);
	hf_dict_put(
		python, "executable", program == NULL ? hf_value_null(f->a) : hf_value_cstr(f->a, program));
	hf_dict_put(python, "has_sslcontext", hf_value_bool(f->a, true));
	hf_dict_text(python, "type", "cpython");
	hf_dict_put(python, "present", hf_value_bool(f->a, present));
	hf_facts_put(f, "python", python);
	hf_facts_text(f, "python_version", version);
}

static const char *const capability_names[] = { "cap_chown", "cap_dac_override", "cap_dac_read_search",
	"cap_fowner", "cap_fsetid", "cap_kill", "cap_setgid", "cap_setuid", "cap_setpcap",
	"cap_linux_immutable", "cap_net_bind_service", "cap_net_broadcast", "cap_net_admin", "cap_net_raw",
	"cap_ipc_lock", "cap_ipc_owner", "cap_sys_module", "cap_sys_rawio", "cap_sys_chroot",
	"cap_sys_ptrace", "cap_sys_pacct", "cap_sys_admin", "cap_sys_boot", "cap_sys_nice",
	"cap_sys_resource", "cap_sys_time", "cap_sys_tty_config", "cap_mknod", "cap_lease", "cap_audit_write",
	"cap_audit_control", "cap_setfcap", "cap_mac_override", "cap_mac_admin", "cap_syslog",
	"cap_wake_alarm", "cap_block_suspend", "cap_audit_read", "cap_perfmon", "cap_bpf",
	"cap_checkpoint_restore" };

void hf_facts_caps(struct hf_facts *f)
{
	const char *status = hf_facts_file(f, "/proc/self/status");
	const char *line = status == NULL ? NULL : strstr(status, "CapEff:");
	if (line == NULL) {
		hf_facts_text(f, "system_capabilities_enforced", "N/A");
		hf_facts_text(f, "system_capabilities", "N/A");
		return;
	}
	unsigned long long mask = strtoull(line + 7, NULL, 16);
	unsigned long long all = (1ULL << HF_COUNT(capability_names)) - 1;
	struct hf_value *names = hf_value_list(f->a);
	for (size_t i = 0; (mask & all) != all && i < HF_COUNT(capability_names); i++)
		if ((mask >> i & 1) != 0)
			hf_list_append(names, hf_value_cstr(f->a, capability_names[i]));
	hf_facts_text(f, "system_capabilities_enforced", (mask & all) == all ? "False" : "True");
	hf_facts_put(f, "system_capabilities", names);
}

/* Later rows win, as in Ansible's own search. */
static const struct {
	const char *path, *name;
} package_managers[] = {
	{ "/usr/bin/yum", "dnf" },
	{ "/usr/bin/dnf-3", "dnf" },
	{ "/usr/bin/dnf5", "dnf5" },
	{ "/usr/bin/apt-get", "apt" },
	{ "/usr/bin/zypper", "zypper" },
	{ "/usr/bin/pacman", "pacman" },
	{ "/bin/opkg", "opkg" },
	{ "/sbin/apk", "apk" },
	{ "/usr/bin/emerge", "portage" },
	{ "/usr/bin/xbps-install", "xbps" },
	{ "/usr/bin/swupd", "swupd" },
};

static const char *redhat_manager(void)
{
	static const char *const programs[] = { "/usr/bin/dnf", "/usr/bin/microdnf" };
	if (hf_fs_exists("/run/ostree-booted"))
		return "atomic_container";
	for (size_t i = 0; i < HF_COUNT(programs); i++) {
		char real[PATH_MAX];
		if (realpath(programs[i], real) != NULL)
			return strcmp(real, "/usr/bin/dnf5") == 0 ? "dnf5" : "dnf";
	}
	return hf_fs_exists("/usr/bin/yum") ? "yum" : "unknown";
}

void hf_facts_pkg_mgr(struct hf_facts *f)
{
	const char *family = hf_facts_get(f, "os_family", ""), *name = "unknown";
	for (size_t i = 0; i < HF_COUNT(package_managers); i++)
		if (hf_fs_exists(package_managers[i].path))
			name = package_managers[i].name;
	if (strcmp(family, "RedHat") == 0)
		name = redhat_manager();
	else if (strcmp(family, "Debian") == 0)
		name = "apt";
	else if (strcmp(family, "Altlinux") == 0 && strcmp(name, "apt") == 0)
		name = "apt_rpm";
	hf_facts_text(f, "pkg_mgr", name);
}

static const char *service_manager_guess(struct hf_facts *f)
{
	bool systemctl = hf_proc_which(f->a, "systemctl") != NULL;
	const char *init = hf_facts_link(f, "/sbin/init");
	if (systemctl && hf_fs_exists("/run/systemd/system"))
		return "systemd";
	if (hf_proc_which(f->a, "initctl") != NULL && hf_fs_exists("/etc/init/"))
		return "upstart";
	if (hf_fs_exists("/sbin/openrc"))
		return "openrc";
	if (systemctl && init != NULL && strcmp(init, "systemd") == 0)
		return "systemd";
	return hf_fs_exists("/etc/init.d/") ? "sysvinit" : "service";
}

void hf_facts_service_mgr(struct hf_facts *f)
{
	static const char *const inits[][2] = { { "procd", "openwrt_init" }, { "runit-init", "runit" },
		{ "svscan", "svc" }, { "openrc-init", "openrc" } };
	const char *first = hf_facts_file(f, "/proc/1/comm");
	if (first == NULL)
		first = hf_facts_link(f, "/sbin/init");
	if (first == NULL || strcmp(first, "init") == 0 || hf_str_ends(hf_str(first), "sh"))
		first = service_manager_guess(f);
	for (size_t i = 0; i < HF_COUNT(inits); i++)
		if (strcmp(first, inits[i][0]) == 0)
			first = inits[i][1];
	hf_facts_text(f, "service_mgr", first);
}

/* Words of the kernel's command line; quotes keep blanks together and stay, as shlex(posix=False) has it. */
static bool cmdline_word(const char **p, const char **ret_word, size_t *ret_n)
{
	*p += strspn(*p, " \t\n");
	const char *start = *p;
	bool quoted = false;
	for (; **p != '\0' && (quoted || strchr(" \t\n", **p) == NULL); ++*p)
		if (**p == '"')
			quoted = !quoted;
	*ret_word = start;
	*ret_n = (size_t)(*p - start);
	return *ret_n > 0;
}

void hf_facts_cmdline(struct hf_facts *f)
{
	const char *text = hf_facts_file(f, "/proc/cmdline"), *word;
	size_t n;
	if (text == NULL)
		return;
	struct hf_value *last = hf_value_dict(f->a), *every = hf_value_dict(f->a);
	for (int i = 0; i < HF_FACTS_ENTRIES_MAX && cmdline_word(&text, &word, &n); i++) {
		const char *equals = memchr(word, '=', n);
		const char *key = hf_strndup(f->a, word, equals == NULL ? n : (size_t)(equals - word));
		struct hf_value *value =
			equals == NULL
				? hf_value_bool(f->a, true)
				: hf_value_str(f->a, hf_strn(equals + 1, n - (size_t)(equals - word) - 1));
		hf_dict_put(last, key, value);
		struct hf_value *before = hf_dict_get(every, key);
		if (equals == NULL || before == NULL) {
			hf_dict_put(every, key, value);
		} else if (hf_is(before, HF_LIST)) {
			hf_list_append(before, value);
		} else {
			struct hf_value *both = hf_value_list(f->a);
			hf_list_append(both, before);
			hf_list_append(both, value);
			hf_dict_put(every, key, both);
		}
	}
	hf_facts_put(f, "cmdline", last);
	hf_facts_put(f, "proc_cmdline", every);
}

/* One call formats every field, in the order of names. */
#define DATE_FORMAT "%Y|%m|%A|%w|%W|%d|%H|%M|%S|%s|%s|%Y-%m-%d|%H:%M:%S|%Y%m%dT%H%M%S|%Z|%z"

void hf_facts_date_time(struct hf_facts *f)
{
	static const char *const names[] = { "year", "month", "weekday", "weekday_number", "weeknumber",
		"day", "hour", "minute", "second", "epoch", "epoch_int", "date", "time",
		"iso8601_basic_short", "tz", "tz_offset" };
	struct timeval now;
	struct tm here, utc;
	char text[256];
	gettimeofday(&now, NULL);
	tzset();
	localtime_r(&now.tv_sec, &here);
	gmtime_r(&now.tv_sec, &utc);
	struct hf_value *dates = hf_value_dict(f->a);
	strftime(text, sizeof(text), DATE_FORMAT, &here);
	struct hf_str rest = hf_str(text), piece;
	for (size_t i = 0; i < HF_COUNT(names) && hf_str_split(&rest, '|', &piece); i++)
		hf_dict_put(dates, names[i], hf_value_str(f->a, piece));
	hf_dict_text(dates, "iso8601_basic",
		hf_sprintf(
			f->a, "%s%06ld", hf_dict_cstr(dates, "iso8601_basic_short", ""), (long)now.tv_usec));
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	hf_dict_text(dates, "iso8601", hf_sprintf(f->a, "%sZ", text));
	hf_dict_text(dates, "iso8601_micro", hf_sprintf(f->a, "%s.%06ldZ", text, (long)now.tv_usec));
	hf_dict_text(dates, "tz_dst", tzname[1]);
	hf_facts_put(f, "date_time", dates);
}

void hf_facts_environment(struct hf_facts *f)
{
	struct hf_value *env = hf_value_dict(f->a);
	const char *const *rows = hf_task_env(f->c);
	for (size_t i = 0; rows != NULL && rows[i] != NULL && i < HF_FACTS_ENTRIES_MAX; i++) {
		const char *equals = strchr(rows[i], '=');
		if (equals != NULL)
			hf_dict_text(env, hf_strndup(f->a, rows[i], (size_t)(equals - rows[i])), equals + 1);
	}
	hf_facts_put(f, "env", env);
}

void hf_facts_loadavg(struct hf_facts *f)
{
	double load[3];
	if (getloadavg(load, 3) != 3)
		return;
	struct hf_value *dict = hf_value_dict(f->a);
	const char *const names[] = { "1m", "5m", "15m" };
	for (size_t i = 0; i < HF_COUNT(names); i++)
		hf_dict_put(dict, names[i], hf_value_float(f->a, load[i]));
	hf_facts_put(f, "loadavg", dict);
}

void hf_facts_ssh_pub_keys(struct hf_facts *f)
{
	static const char *const folders[] = { "/etc/ssh", "/etc/openssh", "/etc" };
	static const char *const kinds[] = { "dsa", "rsa", "ecdsa", "ed25519" };
	bool found = false;
	for (size_t i = 0; !found && i < HF_COUNT(folders); i++) {
		for (size_t k = 0; k < HF_COUNT(kinds); k++) {
			const char *text = hf_facts_file(f, "%s/ssh_host_%s_key.pub", folders[i], kinds[k]);
			const char *blank = text == NULL ? NULL : strchr(text, ' ');
			if (blank == NULL)
				continue;
			found = true;
			hf_facts_text(f, hf_sprintf(f->a, "ssh_host_key_%s_public", kinds[k]),
				hf_strndup(f->a, blank + 1, strcspn(blank + 1, " \n")));
			hf_facts_text(f, hf_sprintf(f->a, "ssh_host_key_%s_public_keytype", kinds[k]),
				hf_strndup(f->a, text, (size_t)(blank - text)));
		}
	}
}

void hf_facts_user(struct hf_facts *f)
{
	static const char *const names[] = { "LOGNAME", "USER", "LNAME", "USERNAME" };
	const char *name = NULL;
	for (size_t i = 0; (name == NULL || name[0] == '\0') && i < HF_COUNT(names); i++)
		name = hf_facts_env(f, names[i]);
	struct passwd *entry = name == NULL || name[0] == '\0' ? NULL : getpwnam(name);
	if (entry == NULL)
		entry = getpwuid(getuid());
	hf_facts_text(f, "user_id",
		name != NULL && name[0] != '\0' ? name
		: entry != NULL                 ? entry->pw_name
						: "");
	if (entry != NULL) {
		hf_facts_int(f, "user_uid", entry->pw_uid);
		hf_facts_int(f, "user_gid", entry->pw_gid);
		hf_facts_text(f, "user_gecos", entry->pw_gecos);
		hf_facts_text(f, "user_dir", entry->pw_dir);
		hf_facts_text(f, "user_shell", entry->pw_shell);
	}
	hf_facts_int(f, "real_user_id", getuid());
	hf_facts_int(f, "effective_user_id", geteuid());
	hf_facts_int(f, "real_group_id", getgid());
	hf_facts_int(f, "effective_group_id", getegid());
}
