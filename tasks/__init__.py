"""What is learnt: examples, task kinds, reading data, scores."""
