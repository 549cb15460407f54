#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "agent/watch_source.h"
#include "lib/base/log.h"

/* CALL_US: who accepts and does not answer may not stop the loop for longer. */
enum { AGAIN_MS = 60000, LOST_MS = 1000, CALL_US = 2000000 };

struct hf_bus_watch {
	struct hf_agent *agent;
	struct hf_watch *watch;
	sd_bus *bus;
	sd_event_source *again;
	struct hf_arena *arena;
	struct hf_map units;
	bool lost; /* it was there and went: what happens until it is back is not heard */
};

static int on_changed(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct hf_bus_watch *b = data;
	char *unit = NULL;
	if (sd_bus_path_decode(sd_bus_message_get_path(m), "/org/freedesktop/systemd1/unit", &unit) > 0 &&
		unit != NULL && hf_map_find(&b->units, unit) != NULL)
		hf_watch_unit_event(b->watch, unit);
	free(unit);
	return 0;
}

/* Something was enabled, disabled or masked; systemd does not say what. */
static int on_files_changed(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct hf_bus_watch *b = data;
	hf_watch_unit_event(b->watch, NULL);
	return 0;
}

static int on_gone(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct hf_bus_watch *b = data;
	hf_watch_lost(b->watch, "the system bus was lost");
	b->lost = true;
	hf_timer_set(b->again, LOST_MS);
	return 0;
}

static bool bus_open(struct hf_bus_watch *b)
{
	static const char match[] =
		"type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.DBus.Properties',"
		"member='PropertiesChanged',path_namespace='/org/freedesktop/systemd1/unit'";
	static const char files[] = "type='signal',sender='org.freedesktop.systemd1',interface='org."
				    "freedesktop.systemd1.Manager',"
				    "member='UnitFilesChanged'";
	static const char gone[] =
		"type='signal',sender='org.freedesktop.DBus.Local',path='/org/freedesktop/DBus/Local',"
		"interface='org.freedesktop.DBus.Local',member='Disconnected'";
	if (b->bus != NULL)
		b->bus = sd_bus_flush_close_unref(b->bus);
	return sd_bus_open_system(&b->bus) >= 0 && sd_bus_set_method_call_timeout(b->bus, CALL_US) >= 0 &&
	       sd_bus_attach_event(b->bus, b->agent->loop, 0) >= 0 &&
	       sd_bus_add_match(b->bus, NULL, match, on_changed, b) >= 0 &&
	       sd_bus_add_match(b->bus, NULL, files, on_files_changed, b) >= 0 &&
	       sd_bus_add_match(b->bus, NULL, gone, on_gone, b) >= 0 &&
	       sd_bus_call_method(b->bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		       "org.freedesktop.systemd1.Manager", "Subscribe", NULL, NULL, "") >= 0;
}

static int on_again(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_bus_watch *b = data;
	if (bus_open(b)) {
		hf_log(HF_LOG_INFO, "listening to systemd for %u units", b->units.live);
		if (b->lost)
			hf_watch_unit_event(b->watch, NULL);
		b->lost = false;
		return 0;
	}
	if (!b->lost)
		hf_log(HF_LOG_NOTICE, "no system bus: units are looked at by sweeps only");
	b->bus = sd_bus_flush_close_unref(b->bus);
	hf_timer_set(b->again, b->lost ? LOST_MS : AGAIN_MS);
	return 0;
}

struct hf_bus_watch *hf_bus_watch_new(struct hf_agent *agent, struct hf_watch *w)
{
	struct hf_bus_watch *b = hf_new(agent->arena, struct hf_bus_watch);
	*b = (struct hf_bus_watch){ .agent = agent, .watch = w };
	b->again = hf_timer_new(agent->loop, false, on_again, b);
	return b;
}

void hf_bus_watch_set(struct hf_bus_watch *b, const struct hf_watch_index *x)
{
	hf_arena_free(b->arena);
	b->arena = hf_arena_new();
	hf_map_init_str(&b->units, b->arena);
	for (size_t i = 0; i < x->things.n; i++)
		if (x->things.at[i]->kind == HF_THING_UNIT)
			hf_map_set(&b->units, hf_strdup(b->arena, x->things.at[i]->name), b);
	if (b->units.live > 0 && b->bus == NULL)
		hf_timer_set(b->again, 0);
}
