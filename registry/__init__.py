"""The registry: takes signals, closes the day, opens cases and gives notices."""
