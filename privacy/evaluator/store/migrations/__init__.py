"""Migrations of the evaluator's store."""
