"""Whole federations on one machine: generated scenarios, their simulation, and the demonstration built on both."""
