/* tests/system/undo_door.c - run a playbook as the agent does, keeping every undo record; then take them all
 * back. undo_door apply PLAYBOOK FOLDER     undo records in FOLDER/records, one a line; pre-images in
 * FOLDER/<aa>/<sha256> undo_door undo FOLDER               newest first */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/data/json.h"
#include "lib/engine/run.h"
#include "modules/registry.h"

enum { RECORDS_MAX = 64 << 20, BLOB_MAX = 64 << 20 };

struct door {
	const char *folder;
	struct hf_arena *arena;
};

static void event_print(void *data, const struct hf_value *event)
{
	hf_auto_buf out = hf_buf_init(RECORDS_MAX);
	(void)data;
	if (hf_json_write(&out, event, &HF_JSON_COMPACT, NULL) == 0)
		printf("%s\n", out.p);
}

static int record_keep(
	void *data, const struct hf_resource *r, const struct hf_value *record, struct hf_error *err)
{
	const struct door *door = data;
	hf_auto_buf out = hf_buf_init(RECORDS_MAX);
	(void)r;
	int result = hf_json_write(&out, record, &HF_JSON_COMPACT, err);
	hf_buf_put(&out, '\n');
	hf_auto_fd fd = open(hf_path_join(door->arena, door->folder, "records"),
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "open records");
	return result < 0 ? result : hf_fs_write_all(fd, hf_buf_str(&out), err);
}

static int blob_keep(void *data, int fd, struct hf_digest *ret, struct hf_error *err)
{
	const struct door *door = data;
	struct hf_str text;
	char hex[HF_SHA256_HEX];
	int r = hf_fs_read_fd(door->arena, fd, BLOB_MAX, &text, err);
	if (r < 0)
		return r;
	*ret = hf_sha256(text);
	hf_digest_hex(ret, hex);
	const char *folder = hf_sprintf(door->arena, "%s/%.2s", door->folder, hex);
	r = hf_fs_mkdirs(folder, 0700, err);
	return r < 0 ? r : hf_fs_replace(hf_path_join(door->arena, folder, hex), text, HF_FS_KEEP, err);
}

static int apply(
	struct door *door, const char *playbook, const struct hf_run_hooks *hooks, struct hf_error *err)
{
	const char *const playbooks[] = { playbook, NULL };
	struct hf_run_options options = { .registry = &hf_modules, .playbooks = playbooks, .hooks = hooks };
	struct hf_run_summary summary = { 0 };
	int r = hf_fs_mkdirs(door->folder, 0700, err);
	if (r == 0)
		r = hf_run_playbooks(&options, &summary, err);
	return r < 0 ? r : summary.exit_status;
}

static int undo(struct door *door, const struct hf_run_hooks *hooks, struct hf_error *err)
{
	struct records { /* grown by hf_vec_push() */
		struct hf_value **at;
		size_t n, room;
	} records = { 0 };
	struct hf_str text, line;
	int r = hf_fs_read(
		door->arena, hf_path_join(door->arena, door->folder, "records"), RECORDS_MAX, &text, err);
	while (r == 0 && hf_str_split(&text, '\n', &line))
		if (line.n > 0)
			r = hf_json_parse(
				door->arena, line, "records", hf_vec_push(door->arena, &records), err);
	for (size_t i = records.n; r == 0 && i-- > 0;)
		r = hf_run_undo(&hf_modules, records.at[i], door->folder, hooks, err);
	return r;
}

int main(int argc, char **argv)
{
	hf_auto_arena arena = hf_arena_new();
	struct hf_error err = { 0 };
	struct door door = { .arena = arena };
	char text[HF_ERROR_TEXT_MAX];
	struct hf_run_hooks hooks = {
		.data = &door, .event = event_print, .journal = record_keep, .save = blob_keep
	};
	int r = 2;
	if (argc == 4 && strcmp(argv[1], "apply") == 0) {
		door.folder = argv[3];
		r = apply(&door, argv[2], &hooks, &err);
	} else if (argc == 3 && strcmp(argv[1], "undo") == 0) {
		door.folder = argv[2];
		r = undo(&door, &hooks, &err);
	}
	if (r < 0)
		fprintf(stderr, "%s\n", hf_error_print(&err, text, sizeof(text)));
	return r < 0 ? 1 : r;
}
