"""Tests: named for the properties they hold."""
