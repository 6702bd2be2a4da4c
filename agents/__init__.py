"""Who thinks: one file per role, their shared contract, and their prompts."""
