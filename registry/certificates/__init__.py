"""The registry's part in admission: it hands on the descriptor, and certifies keys that the descriptor lists."""
