"""The rules all parties share: pure, without I/O, clocks or randomness."""
