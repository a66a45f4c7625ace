"""Silence: when each member was last heard of, and how much of the federation that covers."""
