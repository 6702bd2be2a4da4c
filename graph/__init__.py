"""In which order: the wiring of a run, its config, its start, stop and resume."""
