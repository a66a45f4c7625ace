"""How parties call each other: gRPC over mutual TLS, one rule per method, coded errors, a deadline always."""
