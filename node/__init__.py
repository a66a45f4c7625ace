"""A member's node: imports enrolments, says what the member can say, and works the cases that come back."""
