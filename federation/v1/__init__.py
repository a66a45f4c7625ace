"""The contract, generated from `proto/federation/v1` at build time. Only this file is committed."""
