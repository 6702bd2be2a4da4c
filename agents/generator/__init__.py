"""The generator: texts without labels."""
