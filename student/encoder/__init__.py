"""The encoder: found, checked, loaded, and sped up while it is trained."""
