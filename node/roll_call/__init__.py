"""The roll call at a node: its own gaps are offered, and what others call is compared with its own roster."""
