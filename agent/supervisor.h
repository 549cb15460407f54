/* agent/supervisor.h - the role that starts the others, keeps the state and decides what is done when. */
#pragma once

/* Runs the supervisor until it is told to stop; returns the exit status. */
int hf_supervisor_main(const char *config_path);
