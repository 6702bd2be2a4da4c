"""The user's data: files and hub data sets as examples and texts."""
