"""Pseudonyms that no single party can compute, and the evaluator service that holds one share of the key.

The modules of this package itself are pure: values in, values out, no network, no store, no clock. `privacy.evaluator`
is the service. What all this protects against, and what not, is told in TRUST.md beside this file.
"""
