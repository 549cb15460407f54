#include "modules/stack_facts.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "modules/dpkg.h"

enum { FILE_MAX = 4 << 20, ENTRIES_MAX = 4096, PATH_SIZE = 1024 };

/* NVIDIA's table of least drivers; between two rows the lower one holds. */
static const struct {
	const char *cuda, *driver;
} drivers[] = { { "11.0", "450.36.06" }, { "12.0", "525.60.13" }, { "13.0", "580.65.06" } };

int hf_stack_compare(const char *x, const char *y)
{
	while (*x != '\0' || *y != '\0') {
		char *x_end, *y_end;
		long i = strtol(x, &x_end, 10), j = strtol(y, &y_end, 10);
		if (i != j)
			return i < j ? -1 : 1;
		if (x_end == x && y_end == y)
			return 0; /* neither goes on with a number */
		x = *x_end == '.' ? x_end + 1 : "";
		y = *y_end == '.' ? y_end + 1 : "";
	}
	return 0;
}

long hf_stack_major(const char *version)
{
	return strtol(version, NULL, 10);
}

const char *hf_stack_driver_for(const char *cuda)
{
	const char *least = NULL;
	for (size_t i = 0; i < HF_COUNT(drivers); i++)
		if (hf_stack_compare(cuda, drivers[i].cuda) >= 0)
			least = drivers[i].driver;
	return least;
}

struct reading {
	struct hf_arena *a;
	const char *root;
};

static const char *place(const struct reading *r, const char *path)
{
	return hf_sprintf(r->a, "%s%s", r->root, path);
}

/* Text without white space around it; NULL when there is no such file. */
static const char *text_of(const struct reading *r, const char *path)
{
	struct hf_str text;
	if (hf_fs_read(r->a, place(r, path), FILE_MAX, &text, NULL) < 0)
		return NULL;
	text = hf_str_trim(text);
	return text.n == 0 ? NULL : hf_str_dup(r->a, text);
}

static bool there(const struct reading *r, const char *path)
{
	return access(place(r, path), F_OK) == 0;
}

/* Calls use() for each name in a folder until it returns false; nothing where there is no such folder. */
static void names_each(const struct reading *r, const char *path,
	bool (*use)(const struct reading *r, const char *path, const char *name, struct hf_stack *s),
	struct hf_stack *s)
{
	hf_auto_dir dir = opendir(place(r, path));
	struct dirent *e;
	for (int i = 0; dir != NULL && i < ENTRIES_MAX && (e = readdir(dir)) != NULL; i++)
		if (e->d_name[0] != '.' && !use(r, path, e->d_name, s))
			return;
}

static bool pci_see(const struct reading *r, const char *path, const char *name, struct hf_stack *s)
{
	const char *vendor = text_of(r, hf_sprintf(r->a, "%s/%s/vendor", path, name));
	const char *class = text_of(r, hf_sprintf(r->a, "%s/%s/class", path, name));
	if (vendor == NULL || class == NULL || strcmp(vendor, "0x10de") != 0)
		return true;
	s->gpus += strncmp(class, "0x03", 4) == 0;
	s->switches = s->switches || strncmp(class, "0x0680", 6) == 0;
	return true;
}

/* The version DKMS built for a kernel, or that of a precompiled module: the one modules.dep names. */
static const char *module_built(const struct reading *r, const char *kernel)
{
	static const char *const names[] = { "/nvidia.ko", "/nvidia-current.ko" };
	const char *dep = text_of(r, hf_sprintf(r->a, "/lib/modules/%s/modules.dep", kernel));
	bool named = false;
	for (size_t i = 0; i < HF_COUNT(names) && dep != NULL; i++)
		named = named || strstr(dep, names[i]) != NULL;
	if (!named)
		return NULL;
	/* modinfo's "version=" is in the file itself; what packaged it leaves the same beside it. */
	hf_auto_dir dir = opendir(place(r, "/var/lib/dkms/nvidia"));
	struct dirent *e;
	for (int i = 0; dir != NULL && i < ENTRIES_MAX && (e = readdir(dir)) != NULL; i++)
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9' &&
			there(r, hf_sprintf(r->a, "/var/lib/dkms/nvidia/%s/%s", e->d_name, kernel)))
			return hf_strdup(r->a, e->d_name);
	const char *version = text_of(r, hf_sprintf(r->a, "/lib/modules/%s/nvidia.version", kernel));
	return version != NULL ? version : "";
}

static bool kernel_see(const struct reading *r, const char *path, const char *name, struct hf_stack *s)
{
	/* A kernel that can be booted, not the folder of one that was removed. */
	if (!there(r, hf_sprintf(r->a, "/boot/vmlinuz-%s", name)))
		return true;
	if (strcmp(name, s->kernel) != 0 && hf_dpkg_compare(name, s->kernel) > 0 &&
		(s->next_kernel == NULL || hf_dpkg_compare(name, s->next_kernel) > 0))
		s->next_kernel = hf_strdup(r->a, name);
	(void)path;
	return true;
}

static void driver_read(const struct reading *r, struct hf_stack *s)
{
	const char *version = text_of(r, "/sys/module/nvidia/version");
	s->kernel = text_of(r, "/proc/sys/kernel/osrelease");
	s->kernel = s->kernel == NULL ? "" : s->kernel;
	s->loaded = version;
	s->nouveau = there(r, "/sys/module/nouveau");
	s->headers = there(r, hf_sprintf(r->a, "/lib/modules/%s/build", s->kernel));
	s->built = module_built(r, s->kernel);
	if (s->built != NULL && *s->built == '\0')
		s->built = s->loaded; /* precompiled, and nothing but the kernel knows its version */
	if (s->built == NULL && s->loaded != NULL && there(r, "/proc/driver/nvidia/version") &&
		!there(r, "/var/lib/dkms/nvidia"))
		s->built = s->loaded; /* part of the image: it runs, so it is built */
	names_each(r, "/lib/modules", kernel_see, s);
	if (s->next_kernel != NULL)
		s->next_built = module_built(r, s->next_kernel) != NULL;
}

static void library_read(const struct reading *r, struct hf_stack *s)
{
	static const char *const folders[] = { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
		"/usr/lib64", "/usr/lib/x86_64-linux-gnu/nvidia/current", "/usr/lib" };
	static const char *const mark = "libnvidia-ml.so.";
	for (size_t i = 0; i < HF_COUNT(folders) && s->library == NULL; i++) {
		char target[PATH_SIZE];
		ssize_t n = readlink(place(r, hf_sprintf(r->a, "%s/libnvidia-ml.so.1", folders[i])), target,
			sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		const char *name = strrchr(target, '/');
		name = name == NULL ? target : name + 1;
		if (strncmp(name, mark, strlen(mark)) == 0 && strchr(name + strlen(mark), '.') != NULL)
			s->library = hf_strdup(r->a, name + strlen(mark));
	}
}

/* "550.90.07-1" and "1:550.90.07-0ubuntu1" are both 550.90.07. */
static const char *upstream(struct hf_arena *a, const char *version)
{
	const char *colon = strchr(version, ':');
	version = colon == NULL ? version : colon + 1;
	return hf_strndup(a, version, strcspn(version, "-+~"));
}

static int packages_read(const struct reading *r, struct hf_stack *s, struct hf_error *err)
{
	const struct hf_dpkg *db = NULL;
	if (!there(r, "/var/lib/dpkg/status"))
		return 0;
	int result = hf_dpkg_load(place(r, "/var/lib/dpkg/status"), &db, err);
	if (result < 0)
		return result;
	for (size_t i = 0; i < db->n; i++) {
		const struct hf_dpkg_package *p = &db->at[i];
		const char *built_for = p->installed ? strstr(p->version, "+cuda") : NULL;
		if (!p->installed)
			continue;
		if (strncmp(p->name, "nvidia-fabricmanager", 20) == 0 && strstr(p->name, "-dev") == NULL)
			s->fabric = upstream(r->a, p->version);
		if (strcmp(p->name, "libnccl2") == 0) {
			s->nccl = upstream(r->a, p->version);
			s->nccl_cuda = built_for == NULL ? NULL : hf_strdup(r->a, built_for + 5);
		}
		s->toolkit = s->toolkit || strcmp(p->name, "nvidia-container-toolkit") == 0;
		s->runtime = s->runtime || strcmp(p->name, "docker-ce") == 0 ||
			     strcmp(p->name, "docker.io") == 0 || strcmp(p->name, "containerd.io") == 0 ||
			     strcmp(p->name, "containerd") == 0;
	}
	return 0;
}

static void cuda_read(const struct reading *r, struct hf_stack *s)
{
	char target[PATH_SIZE];
	ssize_t n = readlink(place(r, "/usr/local/cuda"), target, sizeof(target) - 1);
	/* Through update-alternatives on Debian: /usr/local/cuda → /etc/alternatives/cuda →
	 * /usr/local/cuda-12.4. */
	if (n > 0 && (target[n] = '\0', strstr(target, "alternatives") != NULL))
		n = readlink(place(r, "/etc/alternatives/cuda"), target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		const char *mark = strstr(target, "cuda-");
		s->cuda = mark == NULL ? NULL : hf_strndup(r->a, mark + 5, strspn(mark + 5, "0123456789."));
	}
	const char *efa = text_of(r, "/opt/amazon/efa_installed_packages");
	const char *version = efa == NULL ? NULL : strstr(efa, "version: ");
	if (version != NULL)
		s->efa = hf_strndup(r->a, version + 9, strspn(version + 9, "0123456789."));
}

/* NAME = 'value' of a Python file; NULL: not there, or None. */
static const char *assignment(struct hf_arena *a, const char *text, const char *name)
{
	struct hf_str rest = hf_str(text), line;
	size_t n = strlen(name);
	while (hf_str_split(&rest, '\n', &line)) {
		if (!hf_str_starts(line, name) || line.n == n ||
			(line.p[n] != ' ' && line.p[n] != ':' && line.p[n] != '='))
			continue;
		const char *copy = hf_str_dup(a, line), *quote = strpbrk(copy, "'\"");
		return quote == NULL ? NULL : hf_strndup(a, quote + 1, strcspn(quote + 1, "'\""));
	}
	return NULL;
}

static bool python_see(const struct reading *r, const char *path, const char *name, struct hf_stack *s)
{
	if (strncmp(name, "python3", 7) != 0)
		return true;
	const char *file = hf_sprintf(r->a, "%s/%s/site-packages/torch/version.py", path, name);
	const char *text = text_of(r, file),
		   *version = text == NULL ? NULL : assignment(r->a, text, "__version__");
	if (version == NULL)
		return true;
	struct hf_value *t = hf_value_dict(r->a);
	const char *cuda = assignment(r->a, text, "cuda");
	hf_dict_put(t, "where", hf_value_cstr(r->a, hf_sprintf(r->a, "PyTorch %s in %s", version, path)));
	hf_dict_put(t, "version", hf_value_cstr(r->a, version));
	if (cuda != NULL)
		hf_dict_put(t, "cuda", hf_value_cstr(r->a, cuda));
	hf_list_append(s->torches, t);
	return true;
}

static bool environment_see(const struct reading *r, const char *path, const char *name, struct hf_stack *s)
{
	names_each(r, hf_sprintf(r->a, "%s/%s/lib", path, name), python_see, s);
	return true;
}

int hf_stack_read(struct hf_arena *a, const char *root, struct hf_stack *ret, struct hf_error *err)
{
	static const char *const environments[] = { "/opt/envs", "/opt/conda/envs", "/opt/miniforge3/envs" };
	struct reading r = { a, strcmp(root, "/") == 0 ? "" : root };
	struct hf_stack s = { .torches = hf_value_list(a) };
	names_each(&r, "/sys/bus/pci/devices", pci_see, &s);
	driver_read(&r, &s);
	library_read(&r, &s);
	cuda_read(&r, &s);
	for (size_t i = 0; i < HF_COUNT(environments); i++)
		names_each(&r, environments[i], environment_see, &s);
	int result = packages_read(&r, &s, err);
	*ret = s;
	return result;
}

int hf_stack_plan(struct hf_arena *a, struct hf_stack *s, const struct hf_value *plan, struct hf_error *err)
{
	const struct {
		const char *name;
		const char **first, **second;
	} rows[] = { { "driver", &s->built, &s->library }, { "fabric_manager", &s->fabric, NULL },
		{ "cuda", &s->cuda, NULL }, { "nccl", &s->nccl, NULL }, { "efa", &s->efa, NULL } };
	HF_DICT_EACH (plan, entry) {
		const char *name = hf_value_text(a, hf_entry_key(entry)).p;
		const char *version = hf_value_text(a, hf_entry_value(entry)).p;
		size_t j = 0;
		while (j < HF_COUNT(rows) && strcmp(rows[j].name, name) != 0)
			j++;
		if (j == HF_COUNT(rows))
			return hf_fail(err, HF_E_ARGUMENT,
				"plan: \"%s\" is none of driver, fabric_manager, cuda, nccl, efa", name);
		*rows[j].first = version;
		if (rows[j].second != NULL) {
			*rows[j].second = version;
			s->loaded = version; /* as it is after the boot that such a play ends with */
			s->nouveau = false;
		}
	}
	return 0;
}

struct hf_value *hf_stack_value(struct hf_arena *a, const struct hf_stack *s)
{
	const struct {
		const char *name, *text;
	} texts[] = { { "kernel", s->kernel }, { "driver_installed", s->built },
		{ "driver_loaded", s->loaded }, { "next_kernel", s->next_kernel }, { "library", s->library },
		{ "fabric_manager", s->fabric }, { "cuda", s->cuda }, { "nccl", s->nccl },
		{ "nccl_cuda", s->nccl_cuda }, { "efa", s->efa } };
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "gpus", hf_value_int(a, s->gpus));
	hf_dict_put(v, "nvswitch", hf_value_bool(a, s->switches));
	hf_dict_put(v, "container_toolkit", hf_value_bool(a, s->toolkit));
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		hf_dict_put(v, texts[i].name,
			texts[i].text == NULL ? hf_value_null(a) : hf_value_cstr(a, texts[i].text));
	hf_dict_put(v, "pytorch", s->torches);
	return v;
}
