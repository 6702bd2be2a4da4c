"""The evaluator: what was learnt, whether the batch stays, what comes next."""
