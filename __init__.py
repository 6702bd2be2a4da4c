"""EvoKD: from a task description, a few labelled examples and an LLM to a small, fast text model of your own."""
