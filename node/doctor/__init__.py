"""`upprop node doctor`: what the node's own staff are told beyond what every role's doctor tells."""
