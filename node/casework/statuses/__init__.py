"""What the registry is told of case files: how far they have come, and who is to lead. Never who the pupil is."""
