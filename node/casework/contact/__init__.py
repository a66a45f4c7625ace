"""Contact with another member that looks for the same pupil: asked for, accepted or not, then sealed messages."""
