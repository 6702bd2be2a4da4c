"""What was asked, answered and paid: budget, prices, ledger, cache of answers."""
