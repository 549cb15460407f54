#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "agent/apply.h"
#include "agent/config.h"
#include "agent/net_unit.h"
#include "agent/supervisor.h"
#include "lib/base/log.h"
#include "lib/base/scope.h"

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "role", required_argument, NULL, 'r' },
	{ "check", no_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ 0 },
};

enum { USAGE_STATUS = 64 };

static int usage(FILE *to, int status)
{
	fprintf(to,
		"Usage: holdfastd [--config FILE]\n"
		"The resident agent: brings this host to its release, keeps it there, tells the fleet.\n\n"
		"  --config FILE  configuration (default %s)\n"
		"  --check        read the configuration, say what is wrong with it, and end\n"
		"  --version      print the version\n"
		"  --help         print this\n",
		HF_CONFIG_PATH);
	return status;
}

static int config_check(const char *path)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_config c;
	struct hf_error err = { 0 };
	char text[HF_ERROR_TEXT_MAX];
	if (hf_config_load(a, path, &c, &err) == 0)
		return 0;
	fprintf(stderr, "holdfastd: %s\n", hf_error_print(&err, text, sizeof(text)));
	return 1;
}

static int role_main(const char *role)
{
	if (strcmp(role, "apply") == 0)
		return hf_apply_main();
	return strcmp(role, "net") == 0 ? hf_net_unit_main() : usage(stderr, USAGE_STATUS);
}

int main(int argc, char **argv)
{
	const char *config = HF_CONFIG_PATH, *role = NULL;
	bool check = false;
	hf_log_init("holdfastd", HF_LOG_INFO);
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'c')
			config = optarg;
		else if (c == 'r')
			role = optarg;
		else if (c == 'k')
			check = true;
		else if (c == 'v')
			return printf("holdfastd %s\n", PACKAGE_VERSION) < 0;
		else
			return c == 'h' ? usage(stdout, 0) : usage(stderr, USAGE_STATUS);
	}
	if (optind < argc)
		return usage(stderr, USAGE_STATUS);
	if (role != NULL)
		return role_main(role);
	return check ? config_check(config) : hf_supervisor_main(config);
}
