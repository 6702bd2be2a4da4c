"""Which way is better: the cells of a comparison, started, watched and paid from one budget."""
