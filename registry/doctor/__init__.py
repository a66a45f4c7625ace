"""`upprop registry doctor`: keys, CA, closes and what waits for a person, beside what every role's doctor tells.

It counts no gaps or cases: how many children are missed is no operator's to know.
"""
