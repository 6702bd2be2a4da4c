"""Who learns: a small encoder, fitted, asked and saved."""
