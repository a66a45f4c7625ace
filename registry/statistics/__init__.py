"""The national statistics: tables drawn once under differential privacy, and what reads them."""
