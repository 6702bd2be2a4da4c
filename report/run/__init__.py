"""One run, as a person reads it."""
