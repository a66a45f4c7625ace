"""The registry's side of the ledger: an append-only Merkle tree over all that it took and did."""
