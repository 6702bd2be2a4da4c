"""A finished student behind HTTP, as Text Embeddings Inference serves classifiers; entities too."""
