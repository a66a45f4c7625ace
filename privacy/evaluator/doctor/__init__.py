"""`upprop evaluator doctor`: shares, keys, quotas and the ledger witnessed, beside what every role's doctor tells."""
