"""A server's batch API: prompts that can wait, at a lower price."""
