"""Migrations of the registry's store."""
