"""What differs between the kinds of tasks: one label a text, several labels, entities."""
