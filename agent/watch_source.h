/* agent/watch_source.h - what watch.c asks of each source of events. */
#pragma once
#include "agent/watch_index.h"

/* A source tells watch.c through these. path: absolute, folder resolved. */
void hf_watch_event(struct hf_watch *w, const char *path, const char *actor);
bool hf_watch_wants(const struct hf_watch *w, const char *path); /* any watched thing is concerned */
void hf_watch_lost(struct hf_watch *w, const char *why);

struct hf_fanotify;
/* NULL when the kernel or our rights do not allow it; *ret_why says which. */
struct hf_fanotify *hf_fanotify_new(struct hf_agent *agent, struct hf_watch *w, const char **ret_why);
/* Watch these folders; returns in *ret_left those on file systems it cannot mark (list in x's arena). */
void hf_fanotify_set(struct hf_fanotify *f, const struct hf_watch_index *x, struct hf_map *ret_left);

/* The watched thing at path may be another one now, made or moved there: its handle is noted as well. False
 * when so many were noted that the whole set is to be taken anew. */
bool hf_fanotify_again(struct hf_fanotify *f, const char *path);

struct hf_inotify;
HF_CHECK int hf_inotify_new(
	struct hf_agent *agent, struct hf_watch *w, struct hf_inotify **ret, struct hf_error *err);
void hf_inotify_done(struct hf_inotify *n); /* no more events; before the agent's loop and arena go */
void hf_inotify_set(struct hf_inotify *n, const struct hf_map *dirs, const struct hf_watch_index *x);
/* The same; what lies in folders that it was not told to watch is left alone. */
bool hf_inotify_again(struct hf_inotify *n, const char *path);

struct hf_bus_watch;
struct hf_bus_watch *hf_bus_watch_new(struct hf_agent *agent, struct hf_watch *w);
/* Listen to these units; nothing is opened while there are none. */
void hf_bus_watch_set(struct hf_bus_watch *b, const struct hf_watch_index *x);
void hf_watch_unit_event(struct hf_watch *w, const char *unit); /* NULL: any */
