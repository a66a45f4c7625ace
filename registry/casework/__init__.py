"""What members say of their own case files, as the registry takes it."""
