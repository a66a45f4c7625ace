"""The journal: who did what when in a case file, append-only and chained; what is attached; who looked."""
