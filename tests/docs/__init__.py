"""The documents agree with the tree."""
