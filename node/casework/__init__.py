"""Case work at the node: what people state and decide about pupils."""
