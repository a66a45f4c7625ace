"""Case work at the node: what people state and decide about pupils, and what opens and closes a case file."""
