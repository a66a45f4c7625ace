"""Who is on duty: whom the node writes to, first and second."""
