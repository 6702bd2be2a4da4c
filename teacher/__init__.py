"""Who knows: the language model behind the agents."""
