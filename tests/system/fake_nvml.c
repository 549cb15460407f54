/* A library with NVML's functions for tests. What it says is in the environment: FAKE_GPUS how many,
 * FAKE_LOST which of them does not answer, FAKE_ECC uncorrected errors, FAKE_HANG: it never answers and
 * ignores every signal it may. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int number(const char *name, int fallback)
{
	const char *text = getenv(name);
	return text == NULL ? fallback : (int)strtol(text, NULL, 10);
}

int nvmlInit_v2(void)
{
	if (getenv("FAKE_HANG") != NULL) {
		for (int i = 1; i < 32; i++)
			signal(i, SIG_IGN);
		for (;;)
			pause();
	}
	return number("FAKE_INIT", 0);
}
const char *nvmlErrorString(int code)
{
	return code == 9 ? "Driver Not Loaded" : "Unknown Error";
}
int nvmlDeviceGetCount_v2(unsigned *n)
{
	*n = (unsigned)number("FAKE_GPUS", 2);
	return 0;
}
int nvmlSystemGetDriverVersion(char *text, unsigned n)
{
	return snprintf(text, n, "550.90.07") < 0;
}
int nvmlSystemGetNVMLVersion(char *text, unsigned n)
{
	return snprintf(text, n, "12.550.90.07") < 0;
}
int nvmlSystemGetCudaDriverVersion_v2(int *version)
{
	*version = 12040;
	return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **ret)
{
	static char cards[64];
	*ret = &cards[i];
	return (int)i == number("FAKE_LOST", -1) ? 15 : 0;
}
int nvmlDeviceGetName(void *gpu, char *text, unsigned n)
{
	(void)gpu;
	return snprintf(text, n, "NVIDIA H100 80GB HBM3") < 0;
}
int nvmlDeviceGetUUID(void *gpu, char *text, unsigned n)
{
	return snprintf(text, n, "GPU-0000-%02x", (unsigned)((unsigned long)gpu & 63)) < 0;
}
int nvmlDeviceGetEccMode(void *gpu, unsigned *now, unsigned *pending)
{
	(void)gpu;
	*now = *pending = 1;
	return 0;
}
int nvmlDeviceGetMigMode(void *gpu, unsigned *now, unsigned *pending)
{
	(void)gpu;
	*now = *pending = 0;
	return 0;
}
int nvmlDeviceGetTotalEccErrors(void *gpu, int type, int counter, unsigned long long *n)
{
	(void)gpu;
	*n = type == 1 && counter == 0 ? (unsigned long long)number("FAKE_ECC", 0) : 0;
	return 0;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(void *gpu, unsigned long long *mask)
{
	(void)gpu;
	*mask = (unsigned long long)number("FAKE_THROTTLE", 1);
	return 0;
}
