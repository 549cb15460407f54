#include "modules/gpu_nvml.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

/* NVML's own: a handle, "not supported", the shape of its PCI and memory answers. */
typedef void *gpu_handle;
enum { NVML_OK = 0, TEXT_SIZE = 96, ANSWER_MAX = 1 << 20, LINKS_MAX = 18, REAP_TRIES = 20, REAP_US = 1000 };
struct nvml_pci {
	char legacy[16];
	unsigned domain, bus, device, id, subsystem;
	char text[32];
};
struct nvml_memory {
	unsigned long long total, free, used;
};

struct asking {
	struct hf_arena *a;
	void *library;
};

/* A function of the library; NULL when this driver's NVML has none of that name. */
static void symbol(const struct asking *k, const char *name, void *ret)
{
	void *found = dlsym(k->library, name);
	memcpy(ret, &found, sizeof(found)); /* ISO C has no cast from an object to a function */
}

/* What is asked of every GPU, by the shape of the answer. */
enum shape { SHAPE_TEXT, SHAPE_NUMBER, SHAPE_SWITCH, SHAPE_LONG };
static const struct {
	const char *key, *function;
	enum shape shape;
} rows[] = {
	{ "name", "nvmlDeviceGetName", SHAPE_TEXT },
	{ "uuid", "nvmlDeviceGetUUID", SHAPE_TEXT },
	{ "serial", "nvmlDeviceGetSerial", SHAPE_TEXT },
	{ "vbios_version", "nvmlDeviceGetVbiosVersion", SHAPE_TEXT },
	{ "persistence_mode", "nvmlDeviceGetPersistenceMode", SHAPE_SWITCH },
	{ "power_milliwatts", "nvmlDeviceGetPowerUsage", SHAPE_NUMBER },
	{ "power_limit_milliwatts", "nvmlDeviceGetEnforcedPowerLimit", SHAPE_NUMBER },
	{ "pcie_generation", "nvmlDeviceGetCurrPcieLinkGeneration", SHAPE_NUMBER },
	{ "pcie_generation_max", "nvmlDeviceGetMaxPcieLinkGeneration", SHAPE_NUMBER },
	{ "pcie_width", "nvmlDeviceGetCurrPcieLinkWidth", SHAPE_NUMBER },
	{ "pcie_width_max", "nvmlDeviceGetMaxPcieLinkWidth", SHAPE_NUMBER },
	{ "throttle_mask", "nvmlDeviceGetCurrentClocksThrottleReasons", SHAPE_LONG },
};

static struct hf_value *row_ask(const struct asking *k, gpu_handle gpu, size_t i)
{
	int (*text_of)(gpu_handle, char *, unsigned) = NULL;
	int (*number_of)(gpu_handle, unsigned *) = NULL;
	int (*long_of)(gpu_handle, unsigned long long *) = NULL;
	char text[TEXT_SIZE] = "";
	unsigned number = 0;
	unsigned long long wide = 0;
	switch (rows[i].shape) {
	case SHAPE_TEXT:
		symbol(k, rows[i].function, &text_of);
		if (text_of != NULL && text_of(gpu, text, sizeof(text)) == NVML_OK)
			return hf_value_cstr(k->a, text);
		break;
	case SHAPE_NUMBER:
	case SHAPE_SWITCH:
		symbol(k, rows[i].function, &number_of);
		if (number_of != NULL && number_of(gpu, &number) == NVML_OK)
			return rows[i].shape == SHAPE_SWITCH ? hf_value_bool(k->a, number != 0)
							     : hf_value_int(k->a, number);
		break;
	case SHAPE_LONG:
		symbol(k, rows[i].function, &long_of);
		if (long_of != NULL && long_of(gpu, &wide) == NVML_OK)
			return hf_value_int(k->a, (int64_t)wide);
		break;
	}
	return hf_value_null(k->a);
}

/* Two switches in one answer: what is, and what will be after a reset. */
static void modes_ask(const struct asking *k, gpu_handle gpu, struct hf_value *d)
{
	static const struct {
		const char *now, *pending, *function;
	} modes[] = { { "ecc", "ecc_pending", "nvmlDeviceGetEccMode" },
		{ "mig", "mig_pending", "nvmlDeviceGetMigMode" } };
	for (size_t i = 0; i < HF_COUNT(modes); i++) {
		int (*f)(gpu_handle, unsigned *, unsigned *) = NULL;
		unsigned now = 0, pending = 0;
		symbol(k, modes[i].function, &f);
		bool good = f != NULL && f(gpu, &now, &pending) == NVML_OK;
		hf_dict_put(d, modes[i].now, good ? hf_value_bool(k->a, now != 0) : hf_value_null(k->a));
		hf_dict_put(
			d, modes[i].pending, good ? hf_value_bool(k->a, pending != 0) : hf_value_null(k->a));
	}
}

static void ecc_ask(const struct asking *k, gpu_handle gpu, struct hf_value *d)
{
	static const struct {
		const char *key;
		int type, counter;
	} counters[] = { { "ecc_corrected_volatile", 0, 0 }, { "ecc_uncorrected_volatile", 1, 0 },
		{ "ecc_corrected_aggregate", 0, 1 }, { "ecc_uncorrected_aggregate", 1, 1 } };
	int (*total)(gpu_handle, int, int, unsigned long long *) = NULL;
	int (*remapped)(gpu_handle, unsigned *, unsigned *, unsigned *, unsigned *) = NULL;
	unsigned corrected = 0, uncorrected = 0, pending = 0, failed = 0;
	symbol(k, "nvmlDeviceGetTotalEccErrors", &total);
	for (size_t i = 0; i < HF_COUNT(counters); i++) {
		unsigned long long n = 0;
		bool good = total != NULL && total(gpu, counters[i].type, counters[i].counter, &n) == NVML_OK;
		hf_dict_put(d, counters[i].key, good ? hf_value_int(k->a, (int64_t)n) : hf_value_null(k->a));
	}
	symbol(k, "nvmlDeviceGetRemappedRows", &remapped);
	bool good = remapped != NULL && remapped(gpu, &corrected, &uncorrected, &pending, &failed) == NVML_OK;
	hf_dict_put(
		d, "rows_remapped", good ? hf_value_int(k->a, corrected + uncorrected) : hf_value_null(k->a));
	hf_dict_put(d, "remap_pending", good ? hf_value_bool(k->a, pending != 0) : hf_value_null(k->a));
	hf_dict_put(d, "remap_failed", good ? hf_value_bool(k->a, failed != 0) : hf_value_null(k->a));
}

static void place_ask(const struct asking *k, gpu_handle gpu, struct hf_value *d)
{
	int (*pci_of)(gpu_handle, struct nvml_pci *) = NULL;
	int (*memory_of)(gpu_handle, struct nvml_memory *) = NULL;
	int (*heat_of)(gpu_handle, int, unsigned *) = NULL;
	int (*ability_of)(gpu_handle, int *, int *) = NULL;
	struct nvml_pci pci = { 0 };
	struct nvml_memory memory = { 0 };
	unsigned heat = 0;
	int major = 0, minor = 0;
	struct hf_value *none = hf_value_null(k->a);
	symbol(k, "nvmlDeviceGetPciInfo_v3", &pci_of);
	symbol(k, "nvmlDeviceGetMemoryInfo", &memory_of);
	symbol(k, "nvmlDeviceGetTemperature", &heat_of);
	symbol(k, "nvmlDeviceGetCudaComputeCapability", &ability_of);
	bool good = pci_of != NULL && pci_of(gpu, &pci) == NVML_OK;
	pci.text[sizeof(pci.text) - 1] = '\0';
	hf_dict_put(d, "pci", good ? hf_value_cstr(k->a, pci.text) : none);
	good = memory_of != NULL && memory_of(gpu, &memory) == NVML_OK;
	hf_dict_put(d, "memory_total_mib", good ? hf_value_int(k->a, (int64_t)(memory.total >> 20)) : none);
	hf_dict_put(d, "memory_used_mib", good ? hf_value_int(k->a, (int64_t)(memory.used >> 20)) : none);
	good = heat_of != NULL && heat_of(gpu, 0, &heat) == NVML_OK;
	hf_dict_put(d, "temperature_celsius", good ? hf_value_int(k->a, heat) : none);
	good = ability_of != NULL && ability_of(gpu, &major, &minor) == NVML_OK;
	hf_dict_put(d, "compute_capability",
		good ? hf_value_cstr(k->a, hf_sprintf(k->a, "%d.%d", major, minor)) : none);
}

static void links_ask(const struct asking *k, gpu_handle gpu, struct hf_value *d)
{
	int (*state_of)(gpu_handle, unsigned, unsigned *) = NULL;
	int64_t there = 0, up = 0;
	symbol(k, "nvmlDeviceGetNvLinkState", &state_of);
	for (unsigned i = 0; state_of != NULL && i < LINKS_MAX; i++) {
		unsigned active = 0;
		if (state_of(gpu, i, &active) != NVML_OK)
			continue;
		there++;
		up += active != 0;
	}
	hf_dict_put(d, "nvlinks", hf_value_int(k->a, there));
	hf_dict_put(d, "nvlinks_up", hf_value_int(k->a, up));
}

static struct hf_value *gpu_ask(const struct asking *k, unsigned index)
{
	int (*handle_of)(unsigned, gpu_handle *) = NULL;
	gpu_handle gpu = NULL;
	struct hf_value *d = hf_value_dict(k->a);
	hf_dict_put(d, "index", hf_value_int(k->a, index));
	symbol(k, "nvmlDeviceGetHandleByIndex_v2", &handle_of);
	int status = handle_of == NULL ? -1 : handle_of(index, &gpu);
	hf_dict_put(d, "answers", hf_value_bool(k->a, status == NVML_OK));
	if (status != NVML_OK)
		return d; /* it is there and cannot be spoken to: lost, or fallen off the bus */
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		hf_dict_put(d, rows[i].key, row_ask(k, gpu, i));
	modes_ask(k, gpu, d);
	ecc_ask(k, gpu, d);
	place_ask(k, gpu, d);
	links_ask(k, gpu, d);
	return d;
}

static void system_text(const struct asking *k, struct hf_value *all, const char *key, const char *function)
{
	int (*text_of)(char *, unsigned) = NULL;
	char text[TEXT_SIZE] = "";
	symbol(k, function, &text_of);
	bool good = text_of != NULL && text_of(text, sizeof(text)) == NVML_OK;
	hf_dict_put(all, key, good ? hf_value_cstr(k->a, text) : hf_value_null(k->a));
}

static const char *reason(const struct asking *k, int status)
{
	const char *(*text_of)(int) = NULL;
	symbol(k, "nvmlErrorString", &text_of);
	const char *text = text_of == NULL ? NULL : text_of(status);
	return text == NULL ? hf_sprintf(k->a, "NVML error %d", status) : hf_strdup(k->a, text);
}

/* In the child: everything, or {"error": …}. */
static struct hf_value *ask(struct asking *k)
{
	struct hf_value *all = hf_value_dict(k->a), *devices = hf_value_list(k->a);
	int (*init)(void) = NULL, (*count_of)(unsigned *) = NULL, (*cuda_of)(int *) = NULL;
	unsigned n = 0;
	int cuda = 0;
	symbol(k, "nvmlInit_v2", &init);
	symbol(k, "nvmlDeviceGetCount_v2", &count_of);
	symbol(k, "nvmlSystemGetCudaDriverVersion_v2", &cuda_of);
	int status = init == NULL || count_of == NULL ? -1 : init();
	if (status == NVML_OK)
		status = count_of(&n);
	if (status != NVML_OK) {
		hf_dict_put(all, "error",
			hf_value_cstr(k->a, status < 0 ? "the library is no NVML" : reason(k, status)));
		return all;
	}
	system_text(k, all, "driver_version", "nvmlSystemGetDriverVersion");
	system_text(k, all, "nvml_version", "nvmlSystemGetNVMLVersion");
	bool good = cuda_of != NULL && cuda_of(&cuda) == NVML_OK;
	hf_dict_put(all, "cuda_version",
		good ? hf_value_cstr(k->a, hf_sprintf(k->a, "%d.%d", cuda / 1000, cuda % 1000 / 10))
		     : hf_value_null(k->a));
	hf_dict_put(all, "count", hf_value_int(k->a, n));
	for (unsigned i = 0; i < n && i < HF_NVML_GPUS_MAX; i++)
		hf_list_append(devices, gpu_ask(k, i));
	hf_dict_put(all, "devices", devices);
	return all;
}

static HF_NORETURN void child_run(const char *library, int out, pid_t parent)
{
	struct asking k = { .a = hf_arena_new() };
	hf_auto_buf b = hf_buf_init(ANSWER_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	k.library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	struct hf_value *all = k.library != NULL ? ask(&k) : hf_value_dict(k.a);
	if (k.library == NULL)
		hf_dict_put(all, "absent", hf_value_cstr(k.a, dlerror()));
	if (hf_json_write(&b, all, &style, NULL) < 0)
		_exit(1);
	for (size_t done = 0; done < b.n;) {
		ssize_t n = write(out, b.p + done, b.n - done);
		if (n <= 0)
			_exit(1);
		done += (size_t)n;
	}
	_exit(0); /* no shutdown: the driver closes what the process had */
}

/* Everything until the other end closes; false when the deadline came first. */
static bool answer_read(int fd, unsigned deadline_ms, struct hf_buf *b)
{
	enum { READ_SIZE = 16 << 10 };
	uint64_t end = hf_time_monotonic_ms() + deadline_ms;
	for (;;) {
		uint64_t now = hf_time_monotonic_ms();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int ready = now >= end ? 0 : poll(&p, 1, (int)(end - now));
		if (ready < 0 && errno == EINTR)
			continue;
		char *room = ready <= 0 ? NULL : hf_buf_room(b, READ_SIZE);
		if (room == NULL)
			return false;
		ssize_t n = read(fd, room, READ_SIZE);
		if (n <= 0)
			return n == 0;
		hf_buf_added(b, (size_t)n);
	}
}

/* A child in the middle of a driver's call cannot be killed: it is left behind, and goes when the driver lets
 * it. */
static void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	for (int i = 0; i < REAP_TRIES; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		usleep(REAP_US);
	}
}

int hf_nvml_query(struct hf_arena *a, const char *library, unsigned deadline_ms, struct hf_value **ret,
	struct hf_error *err)
{
	int pair[2];
	hf_auto_buf b = hf_buf_init(ANSWER_MAX);
	if (library == NULL)
		library = HF_NVML_LIBRARY;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return hf_fail_errno(err, HF_E_IO, "pipe");
	pid_t self = getpid(), pid = fork();
	if (pid == 0)
		child_run(library, pair[1], self);
	close(pair[1]);
	hf_auto_fd in = pair[0];
	if (pid < 0)
		return hf_fail_errno(err, HF_E_IO, "start the reader of GPUs");
	bool whole = answer_read(in, deadline_ms, &b);
	child_end(pid);
	if (!whole)
		return hf_fail(err, HF_E_TIMEOUT, "the GPU driver did not answer within %u ms", deadline_ms);
	if (b.n == 0)
		return hf_fail(err, HF_E_IO, "%s ended the program that asked it", library);
	int result = hf_json_parse(a, hf_buf_str(&b), "NVML's answer", ret, err);
	if (result < 0)
		return result;
	const char *absent = hf_dict_cstr(*ret, "absent", NULL), *error = hf_dict_cstr(*ret, "error", NULL);
	if (absent != NULL)
		return hf_fail(err, HF_E_NOT_FOUND, "no NVML: %s", absent);
	return error != NULL ? hf_fail(err, HF_E_IO, "NVML: %s", error) : 0;
}
