"""`upprop <role> doctor`: what is so with a party's machine, papers, peers and store, and what to do about it.

A check is a function from settings and a few seams to findings; a role lists its own beside those of all roles.

Invariants: nothing is changed, taken up, locked or made, whether the daemon runs or not; every check is run, whatever
another one found; a finding says what is so and, unless it is well, what to do; it holds nothing personal and counts no
gaps or cases.
"""
