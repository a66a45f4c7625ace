"""The holds: withdrawals that wait, asked for by a form, let go by a person's decision, or taken back."""
