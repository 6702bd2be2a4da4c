"""A finished student at work: texts in, predictions out."""
