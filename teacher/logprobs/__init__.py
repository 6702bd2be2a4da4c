"""Answers scored by the probabilities of tokens."""
