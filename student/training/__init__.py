"""Fitting: the loop over batches, what a wrong answer costs, how much each class counts."""
