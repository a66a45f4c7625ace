"""Tasks of no routine: who was seen, who is absent, who is placed nowhere, who has come back after a break."""
