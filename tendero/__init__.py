"""The command `tendero` and the launcher: puts the parts together, and is imported by none of them."""
