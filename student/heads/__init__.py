"""What stands on the encoder: one label, several labels, or a tag for every word."""
