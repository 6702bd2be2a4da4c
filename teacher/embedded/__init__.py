"""The embedded teacher: a small model in a process of its own."""
