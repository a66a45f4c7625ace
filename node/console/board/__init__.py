"""The board: who is looked for, by whose clock runs out first."""
