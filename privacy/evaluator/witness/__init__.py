"""The evaluator as a witness: it remembers the newest checkpoint of the registry's ledger and co-signs what continues
it."""
