/* modules/facts/devices.c - block devices and mounts. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "modules/facts/facts.h"

/* 10.00 GB, as Ansible writes sizes. */
static const char *size_text(struct hf_facts *f, double bytes)
{
	static const char *const units[] = { "YB", "ZB", "EB", "PB", "TB", "GB", "MB", "KB" };
	for (size_t i = 0; i < HF_COUNT(units); i++) {
		double unit = 1;
		for (size_t k = i; k < HF_COUNT(units); k++)
			unit *= 1024;
		if (bytes >= unit)
			return hf_sprintf(f->a, "%.2f %s", bytes / unit, units[i]);
	}
	return hf_sprintf(f->a, "%.2f Bytes", bytes);
}

/* device name → list of the names of links in folder that point to it */
static struct hf_value *links_in(struct hf_facts *f, const char *folder)
{
	struct hf_value *links = hf_value_dict(f->a), *names = hf_facts_names(f, folder);
	for (size_t i = 0; i < hf_list_len(names); i++) {
		const char *name = hf_list_at(names, i)->u.string.p;
		const char *target = hf_facts_link(f, hf_sprintf(f->a, "%s/%s", folder, name));
		if (target == NULL)
			continue;
		struct hf_value *list = hf_dict_get(links, target);
		if (list == NULL) {
			list = hf_value_list(f->a);
			hf_dict_put(links, target, list);
		}
		hf_list_append(list, hf_list_at(names, i));
	}
	return links;
}

static struct hf_value *masters(struct hf_facts *f, const struct hf_value *blocks)
{
	struct hf_value *owners = hf_value_dict(f->a);
	for (size_t i = 0; i < hf_list_len(blocks); i++) {
		struct hf_value *block = hf_list_at(blocks, i);
		struct hf_value *slaves =
			hf_facts_names(f, hf_sprintf(f->a, "/sys/block/%s/slaves", block->u.string.p));
		for (size_t k = 0; k < hf_list_len(slaves); k++) {
			const char *slave = hf_list_at(slaves, k)->u.string.p;
			struct hf_value *list = hf_dict_get(owners, slave);
			if (list == NULL) {
				list = hf_value_list(f->a);
				hf_dict_put(owners, slave, list);
			}
			hf_list_append(list, block);
		}
	}
	return owners;
}

static struct hf_value *links_of(struct hf_facts *f, const struct hf_value *links, const char *device)
{
	struct hf_value *mine = hf_value_dict(f->a);
	HF_DICT_EACH (links, e) {
		struct hf_value *list = hf_dict_get(hf_entry_value(e), device);
		hf_dict_put(mine, hf_entry_key(e)->u.string.p, list == NULL ? hf_value_list(f->a) : list);
	}
	return mine;
}

static struct hf_value *holders(struct hf_facts *f, const char *folder)
{
	struct hf_value *list = hf_value_list(f->a),
			*names = hf_facts_names(f, hf_sprintf(f->a, "%s/holders", folder));
	for (size_t i = 0; i < hf_list_len(names); i++) {
		const char *name = hf_list_at(names, i)->u.string.p;
		if (strncmp(name, "dm-", 3) == 0)
			hf_list_append(
				list, hf_facts_file_value(f, name, "%s/holders/%s/dm/name", folder, name));
	}
	return list;
}

static struct hf_value *sector_size(struct hf_facts *f, const char *folder)
{
	struct hf_value *size = hf_facts_file_value(f, NULL, "%s/queue/logical_block_size", folder);
	if (!hf_is(size, HF_NULL))
		return size;
	size = hf_facts_file_value(f, NULL, "%s/queue/hw_sector_size", folder);
	return hf_is(size, HF_NULL) ? hf_value_int(f->a, 512) : size;
}

static double sectors_bytes(const struct hf_value *sectors)
{
	return hf_is(sectors, HF_STRING) ? strtod(sectors->u.string.p, NULL) * 512.0 : 0.0;
}

static struct hf_value *partition(
	struct hf_facts *f, const struct hf_value *links, const char *disk, const char *name)
{
	const char *folder = hf_sprintf(f->a, "/sys/block/%s/%s", disk, name);
	struct hf_value *part = hf_value_dict(f->a), *mine = links_of(f, links, name);
	struct hf_value *uuids = hf_dict_get(mine, "uuids");
	struct hf_value *sectors = hf_facts_file_value(f, NULL, "%s/size", folder);
	hf_dict_put(part, "links", mine);
	hf_dict_put(part, "start", hf_facts_file_value(f, "0", "%s/start", folder));
	hf_dict_put(part, "sectors", hf_is(sectors, HF_NULL) ? hf_value_int(f->a, 0) : sectors);
	hf_dict_put(part, "sectorsize", sector_size(f, folder));
	hf_dict_text(part, "size", size_text(f, sectors_bytes(sectors)));
	hf_dict_put(part, "uuid",
		uuids != NULL && hf_list_len(uuids) > 0 ? hf_list_at(uuids, 0) : hf_value_null(f->a));
	hf_dict_put(part, "holders", holders(f, folder));
	return part;
}

static struct hf_value *partitions(struct hf_facts *f, const struct hf_value *links, const char *disk)
{
	struct hf_value *parts = hf_value_dict(f->a);
	struct hf_value *names = hf_facts_names(f, hf_sprintf(f->a, "/sys/block/%s", disk));
	size_t n = strlen(disk);
	for (size_t i = 0; i < hf_list_len(names); i++) {
		const char *name = hf_list_at(names, i)->u.string.p;
		if (strncmp(name, disk, n) != 0)
			continue;
		const char *rest = name + n + (name[n] == 'p');
		if (rest[0] != '\0' && rest[strspn(rest, "0123456789")] == '\0')
			hf_dict_put(parts, name, partition(f, links, disk, name));
	}
	return parts;
}

/* The name in brackets of "mq-deadline [none]". */
static const char *scheduler(struct hf_facts *f, const char *disk)
{
	const char *text = hf_facts_file(f, "/sys/block/%s/queue/scheduler", disk);
	const char *open = text == NULL ? NULL : strchr(text, '[');
	return open == NULL ? "" : hf_strndup(f->a, open + 1, strcspn(open + 1, "]"));
}

static void disk_names(
	struct hf_facts *f, struct hf_value *device, const struct hf_value *links, const char *disk)
{
	static const char *const keys[] = { "vendor", "model", "sas_address", "sas_device_handle" };
	for (size_t i = 0; i < HF_COUNT(keys); i++)
		hf_dict_put(device, keys[i],
			hf_facts_file_value(f, NULL, "/sys/block/%s/device/%s", disk, keys[i]));
	const char *serial = hf_facts_file(f, "/sys/block/%s/device/serial", disk);
	if (serial != NULL)
		hf_dict_text(device, "serial", serial);
	const struct hf_value *ids = hf_dict_get(hf_dict_get(links, "ids"), disk);
	for (size_t i = 0; ids != NULL && i < hf_list_len(ids); i++)
		if (hf_str_starts(hf_list_at(ids, i)->u.string, "wwn-"))
			hf_dict_text(device, "wwn", hf_list_at(ids, i)->u.string.p + 4);
}

static struct hf_value *disk_facts(struct hf_facts *f, const struct hf_value *links, const char *disk)
{
	const char *folder = hf_sprintf(f->a, "/sys/block/%s", disk);
	struct hf_value *device = hf_value_dict(f->a);
	struct hf_value *sectors = hf_facts_file_value(f, NULL, "%s/size", folder);
	hf_dict_put(device, "virtual", hf_value_int(f->a, 1));
	hf_dict_put(device, "links", links_of(f, links, disk));
	disk_names(f, device, links, disk);
	hf_dict_put(device, "removable", hf_facts_file_value(f, NULL, "%s/removable", folder));
	hf_dict_put(device, "support_discard",
		hf_facts_file_value(f, NULL, "%s/queue/discard_granularity", folder));
	hf_dict_put(device, "partitions", partitions(f, links, disk));
	hf_dict_put(device, "rotational", hf_facts_file_value(f, NULL, "%s/queue/rotational", folder));
	hf_dict_text(device, "scheduler_mode", scheduler(f, disk));
	hf_dict_put(device, "sectors", hf_is(sectors, HF_NULL) ? hf_value_int(f->a, 0) : sectors);
	hf_dict_put(device, "sectorsize", sector_size(f, folder));
	hf_dict_text(device, "size", size_text(f, sectors_bytes(sectors)));
	hf_dict_text(device, "host", "");
	hf_dict_put(device, "holders", holders(f, folder));
	return device;
}

void hf_facts_devices(struct hf_facts *f)
{
	struct hf_value *devices = hf_value_dict(f->a), *links = hf_value_dict(f->a);
	struct hf_value *blocks = hf_facts_names(f, "/sys/block");
	hf_dict_put(links, "ids", links_in(f, "/dev/disk/by-id"));
	hf_dict_put(links, "uuids", links_in(f, "/dev/disk/by-uuid"));
	hf_dict_put(links, "labels", links_in(f, "/dev/disk/by-label"));
	hf_dict_put(links, "masters", masters(f, blocks));
	for (size_t i = 0; i < hf_list_len(blocks); i++) {
		const char *disk = hf_list_at(blocks, i)->u.string.p;
		hf_dict_put(devices, disk, disk_facts(f, links, disk));
	}
	hf_facts_put(f, "devices", devices);
	hf_facts_put(f, "device_links", links);
}

/* "\040" and its like in mount tables. */
static char *unescape(struct hf_facts *f, struct hf_str text)
{
	char *out = hf_alloc(f->a, text.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		const char *p = text.p + i;
		if (p[0] == '\\' && i + 3 < text.n && p[1] >= '0' && p[1] <= '3') {
			out[n++] = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			i += 3;
		} else {
			out[n++] = *p;
		}
	}
	out[n] = '\0';
	return out;
}

/* A server that is gone makes statvfs() wait for ever: a child asks, and is given up after the timeout. */
static bool statvfs_patient(struct hf_facts *f, const char *path, struct statvfs *ret)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	pid_t child = fork();
	if (child == 0) {
		struct statvfs st;
		bool fine = statvfs(path, &st) == 0 && write(ends[1], &st, sizeof(st)) == (ssize_t)sizeof(st);
		_exit(fine ? 0 : 1);
	}
	close(ends[1]);
	struct pollfd wait = { .fd = ends[0], .events = POLLIN };
	bool fine = child > 0 && poll(&wait, 1, (int)f->timeout_ms) == 1 &&
		    read(ends[0], ret, sizeof(*ret)) == (ssize_t)sizeof(*ret);
	close(ends[0]);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, fine ? 0 : WNOHANG);
	}
	return fine;
}

static bool file_system_is_remote(const char *type)
{
	static const char *const names[] = { "nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs",
		"lustre", "9p", "afs", NULL };
	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(type, names[i]) == 0)
			return true;
	return strncmp(type, "fuse.", 5) == 0;
}

static void mount_sizes(struct hf_facts *f, struct hf_value *mount, const char *path, const char *type)
{
	struct statvfs st;
	if (file_system_is_remote(type)) {
		if (!statvfs_patient(f, path, &st)) {
			hf_dict_text(mount, "note", "Could not get extra information due to timeout");
			return;
		}
	} else if (statvfs(path, &st) < 0) {
		return;
	}
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = { { "size_total", st.f_frsize * st.f_blocks },
		{ "size_available", st.f_frsize * st.f_bavail }, { "block_size", st.f_bsize },
		{ "block_total", st.f_blocks }, { "block_available", st.f_bavail },
		{ "block_used", st.f_blocks - st.f_bavail }, { "inode_total", st.f_files },
		{ "inode_available", st.f_favail }, { "inode_used", st.f_files - st.f_favail } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		hf_dict_put(mount, rows[i].name, hf_value_int(f->a, (int64_t)rows[i].value));
}

/* mount point → true where something else than a file system's root is mounted there */
static struct hf_value *bind_mounts(struct hf_facts *f)
{
	struct hf_value *binds = hf_value_dict(f->a);
	const char *text = hf_facts_file(f, "/proc/self/mountinfo");
	struct hf_str rest = hf_str(text == NULL ? "" : text), line, field;
	while (hf_str_split(&rest, '\n', &line)) {
		struct hf_str root = HF_STR("/"), place = HF_STR("");
		for (int i = 0; i < 5 && hf_str_split(&line, ' ', &field); i++) {
			root = i == 3 ? field : root;
			place = i == 4 ? field : place;
		}
		if (!hf_str_is(root, "/"))
			hf_dict_put(binds, unescape(f, place), hf_value_bool(f->a, true));
	}
	return binds;
}

static const char *uuid_of(struct hf_facts *f, const struct hf_value *uuids, const char *device)
{
	char real[PATH_MAX];
	const struct hf_value *list = NULL;
	if (realpath(device, real) != NULL)
		list = hf_dict_get(uuids, hf_path_base(real));
	return list != NULL && hf_list_len(list) > 0 ? hf_list_at(list, 0)->u.string.p : "N/A";
}

static void mount_add(struct hf_facts *f, struct hf_value *mounts, struct hf_str line,
	const struct hf_value *binds, const struct hf_value *uuids)
{
	const char *field[6] = { "", "", "", "", "0", "0" };
	struct hf_str piece;
	for (size_t i = 0; i < 6 && hf_str_split(&line, ' ', &piece); i++)
		field[i] = unescape(f, piece);
	bool real = field[0][0] == '/' || field[0][0] == '\\' || strstr(field[0], ":/") != NULL;
	if (!real || strcmp(field[2], "none") == 0)
		return;
	struct hf_value *mount = hf_value_dict(f->a);
	bool bind = hf_dict_get(binds, field[1]) != NULL;
	hf_dict_text(mount, "mount", field[1]);
	hf_dict_text(mount, "device", field[0]);
	hf_dict_text(mount, "fstype", field[2]);
	hf_dict_text(mount, "options", bind ? hf_sprintf(f->a, "%s,bind", field[3]) : field[3]);
	hf_dict_put(mount, "dump", hf_value_int(f->a, strtoll(field[4], NULL, 10)));
	hf_dict_put(mount, "passno", hf_value_int(f->a, strtoll(field[5], NULL, 10)));
	mount_sizes(f, mount, field[1], field[2]);
	hf_dict_text(mount, "uuid", uuid_of(f, uuids, field[0]));
	hf_dict_put(mounts, field[1], mount);
}

void hf_facts_mounts(struct hf_facts *f)
{
	const char *text = hf_facts_file(f, "/etc/mtab");
	if (text == NULL)
		text = hf_facts_file(f, "/proc/mounts");
	struct hf_value *by_place = hf_value_dict(f->a), *binds = bind_mounts(f), *list = hf_value_list(f->a);
	struct hf_value *uuids = links_in(f, "/dev/disk/by-uuid");
	struct hf_str rest = hf_str(text == NULL ? "" : text), line;
	while (hf_str_split(&rest, '\n', &line))
		if (line.n > 0)
			mount_add(f, by_place, line, binds, uuids);
	HF_DICT_EACH (by_place, e) {
		hf_list_append(list, hf_entry_value(e));
	}
	hf_facts_put(f, "mounts", list);
}
