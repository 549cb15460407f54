/* modules/archive_late.h - libarchive, loaded when an archive is opened; with it come libxml2 and 30 MB of
 * Unicode tables. Call hf_archive_ready() before any function of libarchive; archive_late.c lists those that
 * may be called. */
#pragma once
#include <archive.h>
#include <archive_entry.h>

#include "lib/base/error.h"

HF_CHECK int hf_archive_ready(struct hf_error *err);

/* What ends with the scope that holds it. */
static inline void hf_free_archive_reader(struct archive **r)
{
	if (*r != NULL)
		archive_read_free(*r);
	*r = NULL;
}
static inline void hf_free_archive_writer(struct archive **w)
{
	if (*w != NULL)
		archive_write_free(*w);
	*w = NULL;
}
static inline void hf_free_archive_entry(struct archive_entry **e)
{
	if (*e != NULL)
		archive_entry_free(*e);
	*e = NULL;
}
#define hf_auto_archive_reader HF_CLEANUP(hf_free_archive_reader) struct archive *
#define hf_auto_archive_writer HF_CLEANUP(hf_free_archive_writer) struct archive *
#define hf_auto_archive_entry  HF_CLEANUP(hf_free_archive_entry) struct archive_entry *
