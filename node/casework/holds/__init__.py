"""The hold (spärr): a withdrawal that waits until its pupil is accounted for, or a person decides."""
