#include "modules/gpu_kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"

enum {
	LOG_MAX = 16 << 20,
	RECORD_MAX = 16 << 10,
	RECORDS_MAX = 200000,
	PCI_MAX = 32,
	NEAR_LINES = 6,
	TEXT_MAX = 300
};

const char *const hf_gpu_severities[] = { "application", "warning", "fatal", "ignored", NULL };

/* What a number means for whoever runs jobs there. Numbers that are not here are warnings. */
static const struct {
	int number;
	enum hf_gpu_severity severity;
	const char *advice;
} xids[] = {
	{ 8, HF_GPU_APPLICATION, "the job stopped making progress" },
	{ 13, HF_GPU_APPLICATION, "the job made an illegal access" },
	{ 31, HF_GPU_APPLICATION, "the job touched memory it does not have" },
	{ 32, HF_GPU_APPLICATION, "the job sent a broken command" },
	{ 43, HF_GPU_APPLICATION, "the job was ended by an error of its own" },
	{ 45, HF_GPU_APPLICATION, "the job was cleaned up after another error" },
	{ 46, HF_GPU_FATAL, "reset the GPU: it stopped" },
	{ 48, HF_GPU_FATAL, "reset the GPU: memory had an error that cannot be corrected" },
	{ 54, HF_GPU_FATAL, "replace the host: a power cable" },
	{ 61, HF_GPU_WARNING, "reset the GPU when it is idle: its controller stopped once" },
	{ 62, HF_GPU_FATAL, "reset the GPU: its controller stopped" },
	{ 63, HF_GPU_FATAL, "reset the GPU: a row of memory is to be replaced" },
	{ 64, HF_GPU_FATAL, "replace the host: a row of memory cannot be replaced" },
	{ 68, HF_GPU_APPLICATION, "the video decoder was misused" },
	{ 69, HF_GPU_APPLICATION, "the job sent a broken command" },
	{ 74, HF_GPU_FATAL, "reset the GPUs: a link between them failed" },
	{ 79, HF_GPU_FATAL, "replace the host: the GPU fell off the bus" },
	{ 92, HF_GPU_WARNING, "watch it: many corrected errors" },
	{ 94, HF_GPU_APPLICATION, "the job met a memory error that was contained" },
	{ 95, HF_GPU_FATAL, "reset the GPU: a memory error was not contained" },
	{ 109, HF_GPU_FATAL, "reset the GPU: switching jobs failed" },
	{ 110, HF_GPU_FATAL, "reset the GPU: a security fault" },
	{ 119, HF_GPU_FATAL, "reset the GPU: its system processor does not answer" },
	{ 120, HF_GPU_FATAL, "reset the GPU: its system processor failed" },
	{ 121, HF_GPU_WARNING, "watch it: a corrected error between chips" },
	{ 136, HF_GPU_FATAL, "reset the GPU: a link failed" },
	{ 140, HF_GPU_FATAL, "reset the GPU: memory errors without recovery" },
	{ 142, HF_GPU_FATAL, "reset the GPU: the display engine failed" },
	{ 143, HF_GPU_FATAL, "reset the GPU: it did not start" },
	{ 151, HF_GPU_FATAL, "reset the GPU: keys were rotated wrongly" },
	{ 155, HF_GPU_FATAL, "reset the GPU: links went down" },
	{ 156, HF_GPU_FATAL, "reset the GPU: resources were retired" },
	{ 158, HF_GPU_FATAL, "replace the host: a fatal error of the GPU" },
};

/* Sentences without a number. address: the card is named on a line before, if not here. */
static const struct {
	const char *text, *kind;
	enum hf_gpu_severity severity;
	const char *advice;
} sentences[] = {
	{ "fallen off the bus", "off_bus", HF_GPU_FATAL, "replace the host: the GPU fell off the bus" },
	{ "GPU is lost", "off_bus", HF_GPU_FATAL, "replace the host: the GPU is lost" },
	{ "RmInitAdapter failed", "init_failed", HF_GPU_FATAL, "the driver cannot start the GPU" },
	{ "rm_init_adapter failed", "init_failed", HF_GPU_FATAL, "the driver cannot start the GPU" },
	{ "This PCI I/O region assigned to your NVIDIA device is invalid", "init_failed", HF_GPU_FATAL,
		"the machine gave the GPU no room" },
	{ "API mismatch", "init_failed", HF_GPU_FATAL, "the library and the loaded module differ: reboot" },
};

int hf_kmsg_read(struct hf_arena *a, const char *path, struct hf_str *ret, struct hf_error *err)
{
	hf_auto_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	hf_auto_buf b = hf_buf_init(LOG_MAX);
	if (fd < 0)
		return hf_fail_errno(err, errno == ENOENT ? HF_E_NOT_FOUND : HF_E_IO, "open %s", path);
	for (int i = 0; i < RECORDS_MAX; i++) {
		char *room = hf_buf_room(&b, RECORD_MAX);
		ssize_t n = room == NULL ? 0 : read(fd, room, RECORD_MAX);
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue; /* records were overwritten while we read: the next one is there */
		if (n < 0 && errno != EAGAIN)
			return hf_fail_errno(err, HF_E_IO, "read %s", path);
		if (n <= 0)
			break;
		hf_buf_added(&b, (size_t)n);
	}
	if (b.failed)
		return hf_fail(err, HF_E_LIMIT, "%s holds more than %d bytes", path, LOG_MAX);
	*ret = hf_strn(hf_str_dup(a, hf_buf_str(&b)), b.n);
	return 0;
}

struct scan {
	struct hf_arena *a;
	struct hf_value *events;
	const struct hf_value *overrides;
	char pci[PCI_MAX]; /* the card named last … */
	unsigned since;    /* … this many lines ago */
};

/* "0000:3b:00" at p: hex digits with two colons. Gives its length, 0: it is none. */
static size_t pci_length(const char *p)
{
	size_t n = strspn(p, "0123456789abcdefABCDEF"), m;
	if (n < 4 || n > 8 || p[n] != ':')
		return 0;
	m = strspn(p + n + 1, "0123456789abcdefABCDEF");
	if (m != 2 || p[n + 3] != ':' || strspn(p + n + 4, "0123456789abcdefABCDEF") != 2)
		return 0;
	return n + 6;
}

/* The card a line names: domain, bus and device in lower case, without the function. */
static void pci_note(struct scan *s, const char *line)
{
	s->since++;
	for (const char *at = line; *at != '\0'; at++) {
		size_t n = at > line && strchr("0123456789abcdefABCDEF", at[-1]) != NULL ? 0 : pci_length(at);
		if (n == 0 || n >= PCI_MAX)
			continue;
		for (size_t i = 0; i < n; i++)
			s->pci[i] = (char)(at[i] >= 'A' && at[i] <= 'F' ? at[i] - 'A' + 'a' : at[i]);
		s->pci[n] = '\0';
		s->since = 0;
		return;
	}
	if (s->since > NEAR_LINES)
		s->pci[0] = '\0';
}

static bool same_event(const struct hf_value *e, const char *kind, int number, const char *pci)
{
	bool both_off = (number == 79 && strcmp(hf_dict_cstr(e, "kind", ""), "off_bus") == 0) ||
			(strcmp(kind, "off_bus") == 0 && hf_dict_int(e, "number", 0) == 79);
	return strcmp(hf_dict_cstr(e, "pci", ""), pci) == 0 &&
	       (both_off || (strcmp(hf_dict_cstr(e, "kind", ""), kind) == 0 &&
				    hf_dict_int(e, "number", 0) == number));
}

static void event_add(struct scan *s, const char *kind, int number, enum hf_gpu_severity severity,
	const char *advice, const char *line)
{
	for (size_t i = 0; i < hf_list_len(s->events); i++) {
		struct hf_value *e = hf_list_at(s->events, i);
		if (!same_event(e, kind, number, s->pci))
			continue;
		hf_dict_put(e, "count", hf_value_int(s->a, hf_dict_int(e, "count", 0) + 1));
		return;
	}
	struct hf_value *e = hf_value_dict(s->a);
	hf_dict_put(e, "kind", hf_value_cstr(s->a, kind));
	hf_dict_put(e, "number", hf_value_int(s->a, number));
	hf_dict_put(e, "pci", hf_value_cstr(s->a, s->pci));
	hf_dict_put(e, "severity", hf_value_cstr(s->a, hf_gpu_severities[severity]));
	hf_dict_put(e, "advice", hf_value_cstr(s->a, advice));
	hf_dict_put(e, "text", hf_value_str(s->a, hf_strn(line, strnlen(line, TEXT_MAX))));
	hf_dict_put(e, "count", hf_value_int(s->a, 1));
	hf_list_append(s->events, e);
}

static enum hf_gpu_severity overridden(const struct scan *s, int number, enum hf_gpu_severity severity)
{
	const struct hf_value *v =
		s->overrides == NULL ? NULL : hf_dict_get(s->overrides, hf_sprintf(s->a, "%d", number));
	const char *word = v == NULL ? "" : hf_value_text(s->a, v).p;
	for (int i = 0; hf_gpu_severities[i] != NULL; i++)
		if (strcmp(word, hf_gpu_severities[i]) == 0)
			return (enum hf_gpu_severity)i;
	return severity;
}

/* The number after the parenthesis that names the card; 0: there is none. */
static int number_after(const char *mark)
{
	const char *end = strchr(mark, ')');
	if (end == NULL || end[1] != ':')
		return 0;
	return (int)strtol(end + 2, NULL, 10);
}

static void xid_add(struct scan *s, int number, const char *line)
{
	enum hf_gpu_severity severity = HF_GPU_WARNING;
	const char *advice = "look it up in NVIDIA's list of XIDs";
	for (size_t i = 0; i < HF_COUNT(xids); i++)
		if (xids[i].number == number) {
			severity = xids[i].severity;
			advice = xids[i].advice;
		}
	severity = overridden(s, number, severity);
	if (severity != HF_GPU_IGNORED)
		event_add(s, "xid", number, severity, advice, line);
}

static void sxid_add(struct scan *s, int number, const char *sxid, const char *line)
{
	bool fatal = strstr(sxid, "Non-fatal") == NULL && strstr(sxid, "Fatal") != NULL;
	event_add(s, "sxid", number, fatal ? HF_GPU_FATAL : HF_GPU_WARNING,
		fatal ? "reset GPUs and switches together" : "watch it", line);
}

static void line_scan(struct scan *s, const char *line)
{
	bool ours = strstr(line, "NVRM") != NULL || strstr(line, "nvidia") != NULL;
	if (!ours && s->since > NEAR_LINES)
		return;
	pci_note(s, line);
	const char *xid = ours ? strstr(line, "Xid (") : NULL, *sxid = ours ? strstr(line, "SXid (") : NULL;
	if (sxid != NULL && number_after(sxid) > 0) {
		sxid_add(s, number_after(sxid), sxid, line);
		return;
	}
	if (xid != NULL && number_after(xid) > 0) {
		xid_add(s, number_after(xid), line);
		return;
	}
	for (size_t i = 0; i < HF_COUNT(sentences) && (ours || s->pci[0] != '\0'); i++)
		if (strstr(line, sentences[i].text) != NULL) {
			event_add(s, sentences[i].kind, 0, sentences[i].severity, sentences[i].advice, line);
			return;
		}
}

/* Without "6,1234,5678,-;" of /dev/kmsg or "[  12.345678] " of dmesg. */
static const char *message_of(const char *line)
{
	const char *semicolon = strchr(line, ';');
	if (*line >= '0' && *line <= '9' && semicolon != NULL &&
		strspn(line, "0123456789,-c") == (size_t)(semicolon - line))
		return semicolon + 1;
	const char *end = *line == '[' ? strstr(line, "] ") : NULL;
	return end == NULL ? line : end + 2;
}

struct hf_value *hf_kmsg_events(struct hf_arena *a, struct hf_str log, const struct hf_value *overrides)
{
	struct scan s = {
		.a = a, .events = hf_value_list(a), .overrides = overrides, .since = NEAR_LINES + 1
	};
	struct hf_str line;
	while (hf_str_split(&log, '\n', &line)) {
		hf_auto_arena scratch = hf_arena_new();
		line_scan(&s, message_of(hf_str_dup(scratch, line)));
	}
	return s.events;
}
