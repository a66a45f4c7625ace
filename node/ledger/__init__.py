"""The node's watch over the registry's ledger: what it was given receipts for, whether it still stands, and the alarm
if not."""
