"""What stands before and after a network, without torch: texts to token ids, and logits to predictions."""
