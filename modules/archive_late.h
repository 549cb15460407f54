/* modules/archive_late.h - libarchive, loaded when an archive is opened; with it come libxml2 and 30 MB of
 * Unicode tables. Call hf_archive_ready() before any function of libarchive; archive_late.c lists those that
 * may be called. */
#pragma once
#include "lib/base/error.h"

HF_CHECK int hf_archive_ready(struct hf_error *err);
