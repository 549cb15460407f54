#include "lib/base/curl_late.h"

#include <stdarg.h>

#include <curl/curl.h>

#include "lib/base/late.h"
#include "lib/base/scope.h"

/* The name libcurl has kept since 2006 on every distribution. */
#define CURL_SONAME "libcurl.so.4"

/* Every function of libcurl we call: result, name, parameters, arguments. */
#define CURL_PLAIN(F)                                                                                        \
	F(CURL *, curl_easy_init, (void), ())                                                                \
	F(CURLcode, curl_easy_perform, (CURL * easy), (easy))                                                \
	F(void, curl_easy_cleanup, (CURL * easy), (easy))                                                    \
	F(const char *, curl_easy_strerror, (CURLcode code), (code))                                         \
	F(CURLcode, curl_global_init, (long flags), (flags))                                                 \
	F(CURLM *, curl_multi_init, (void), ())                                                              \
	F(CURLMcode, curl_multi_cleanup, (CURLM * multi), (multi))                                           \
	F(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL * easy), (multi, easy))                     \
	F(CURLMcode, curl_multi_remove_handle, (CURLM * multi, CURL * easy), (multi, easy))                  \
	F(CURLMsg *, curl_multi_info_read, (CURLM * multi, int *left), (multi, left))                        \
	F(CURLMcode, curl_multi_perform, (CURLM * multi, int *running), (multi, running))                    \
	F(CURLMcode, curl_multi_poll,                                                                        \
		(CURLM * multi, struct curl_waitfd fds[], unsigned n, int timeout_ms, int *ret),             \
		(multi, fds, n, timeout_ms, ret))                                                            \
	F(CURLMcode, curl_multi_socket_action, (CURLM * multi, curl_socket_t fd, int events, int *running),  \
		(multi, fd, events, running))                                                                \
	F(const char *, curl_multi_strerror, (CURLMcode code), (code))                                       \
	F(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text),              \
		(list, text))                                                                                \
	F(void, curl_slist_free_all, (struct curl_slist * list), (list))

/* Those that take one more argument of the option's type. */
#define CURL_OPTIONS(F)                                                                                      \
	F(CURLcode, curl_easy_setopt, CURL *, CURLoption)                                                    \
	F(CURLMcode, curl_multi_setopt, CURLM *, CURLMoption)

#define DEFINE_PLAIN(result, name, parameters, arguments)                                                    \
	static result(*late_##name) parameters;                                                              \
	result(name) parameters                                                                              \
	{                                                                                                    \
		return late_##name arguments;                                                                \
	}

#define DEFINE_OPTION(result, name, handle_type, option_type)                                                \
	static result (*late_##name)(handle_type handle, option_type option, ...);                           \
	result(name)(handle_type handle, option_type option, ...)                                            \
	{                                                                                                    \
		va_list args;                                                                                \
		va_start(args, option);                                                                      \
		result code;                                                                                 \
		if (option < CURLOPTTYPE_OBJECTPOINT)                                                        \
			code = late_##name(handle, option, va_arg(args, long));                              \
		else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)                           \
			code = late_##name(handle, option, va_arg(args, curl_off_t));                        \
		else                                                                                         \
			code = late_##name(handle, option, va_arg(args, void *));                            \
		va_end(args);                                                                                \
		return code;                                                                                 \
	}

CURL_PLAIN(DEFINE_PLAIN)
CURL_OPTIONS(DEFINE_OPTION)

static CURLcode (*late_curl_easy_getinfo)(CURL *easy, CURLINFO info, ...);
CURLcode(curl_easy_getinfo)(CURL *easy, CURLINFO info, ...)
{
	va_list args;
	va_start(args, info);
	CURLcode code = late_curl_easy_getinfo(easy, info, va_arg(args, void *));
	va_end(args);
	return code;
}

#define ROW(result, name, ...) { #name, (void *)&late_##name },

int hf_curl_ready(struct hf_error *err)
{
	static const struct hf_late_function functions[] = { CURL_PLAIN(ROW)
			CURL_OPTIONS(ROW){ "curl_easy_getinfo", (void *)&late_curl_easy_getinfo } };
	static bool loaded, initialised;
	int result = hf_late_load(CURL_SONAME, functions, HF_COUNT(functions), &loaded, err);
	if (result < 0 || initialised)
		return result;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return hf_fail(err, HF_E_INTERNAL, "libcurl cannot be initialised");
	initialised = true;
	return 0;
}
