"""What an exported student says of itself, in the form of the Hugging Face hub."""
