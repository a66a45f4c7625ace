"""Copies of the registry's store, and a registry that was made of a copy."""
