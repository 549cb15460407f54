/* lib/base/curl_late.h - libcurl, loaded when the first request is made: it brings some thirty libraries
 * along (Kerberos, LDAP, SSH, HTTP/2), which a run that asks nothing of the network should not pay for. Call
 * hf_curl_ready() before any function of libcurl; curl_late.c lists those that may be called. */
#pragma once
#include "lib/base/error.h"

/* Loads and initialises libcurl once; a process that gives up its files calls it before it does. */
HF_CHECK int hf_curl_ready(struct hf_error *err);
