"""From a config to a run folder and the parts of a run."""
