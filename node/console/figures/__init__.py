"""Figures of the own municipality."""
