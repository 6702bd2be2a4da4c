"""A comparison, as a person reads it."""
