"""What happened: a run folder as tables."""
