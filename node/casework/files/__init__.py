"""The case file: the node's own record of its part of a case (design §3), from its opening to its end."""
