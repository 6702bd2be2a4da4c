"""What is remembered: samples, errors and lessons in Chroma."""
