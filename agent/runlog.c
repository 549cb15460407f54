#include "agent/runlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"

/* Where the last whole line ends. */
static off_t whole_length(int fd)
{
	off_t at = lseek(fd, 0, SEEK_END);
	char block[4096];
	while (at > 0) {
		size_t n = at > (off_t)sizeof(block) ? sizeof(block) : (size_t)at;
		if (pread(fd, block, n, at - (off_t)n) != (ssize_t)n)
			return 0;
		for (size_t i = n; i > 0; i--)
			if (block[i - 1] == '\n')
				return at - (off_t)n + (off_t)i;
		at -= (off_t)n;
	}
	return 0;
}

int hf_runlog_open(const char *path, struct hf_runlog *ret, struct hf_error *err)
{
	hf_auto_fd fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", path);
	if (ftruncate(fd, whole_length(fd)) < 0)
		return hf_fail_errno(err, HF_E_IO, "cut %s", path);
	hf_auto_arena a = hf_arena_new();
	hf_auto_fd dir = open(hf_path_dir(a, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fsync(dir) < 0)
		return hf_fail_errno(err, HF_E_IO, "sync the folder of %s", path);
	ret->fd = hf_take_fd(&fd);
	return 0;
}

void hf_runlog_close(struct hf_runlog *l)
{
	hf_close_fd(&l->fd);
}

int hf_runlog_add(struct hf_runlog *l, const struct hf_value *line, bool durable, struct hf_error *err)
{
	hf_auto_buf b = hf_buf_init(HF_RUNLOG_LINE_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	int result = hf_json_write(&b, line, &style, err);
	hf_buf_put(&b, '\n');
	if (result == 0)
		result = hf_buf_check(&b, "a line of the run's log", err);
	if (result == 0)
		result = hf_fs_write_all(l->fd, hf_buf_str(&b), err);
	if (result == 0 && durable && fdatasync(l->fd) < 0)
		result = hf_fail_errno(err, HF_E_IO, "sync the run's log");
	return result;
}

static int lines_each(FILE *f, const char *path, hf_runlog_line each, void *data, struct hf_error *err)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t n;
	int result = 0;
	while (result == 0 && (n = getline(&text, &size, f)) > 0) {
		hf_auto_arena a = hf_arena_new();
		struct hf_value *line = NULL;
		if (text[n - 1] != '\n')
			break; /* torn by a kill: it was told to nobody */
		result = hf_json_loads(a, hf_strn(text, (size_t)n - 1), &line, err);
		if (result == 0)
			result = each(data, a, hf_dict_cstr(line, "k", ""), line, err);
	}
	free(text);
	return result < 0 ? result : 0;
}

int hf_runlog_read(const char *path, hf_runlog_line each, void *data, struct hf_error *err)
{
	hf_auto_file f = fopen(path, "re");
	if (f == NULL)
		return errno == ENOENT ? 0 : hf_fail_errno(err, HF_E_IO, "open %s", path);
	return lines_each(f, path, each, data, err);
}
