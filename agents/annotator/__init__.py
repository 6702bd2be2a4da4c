"""The annotator: labels from a conversation that knows nothing but the task."""
