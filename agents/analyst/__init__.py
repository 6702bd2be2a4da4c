"""The analyst: where the student fails, as lessons."""
