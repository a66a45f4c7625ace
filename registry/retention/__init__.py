"""Retention: what has served its purpose is taken away, in small portions, after the daily close."""
