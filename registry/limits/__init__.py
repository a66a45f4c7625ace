"""What bounds a member that would use the registry as a search engine, and the question that an overlap raises."""
