"""How a municipality's machine becomes a node of the federation: `upprop node join`."""
