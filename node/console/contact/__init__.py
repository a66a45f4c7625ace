"""Contact with other members: requests, answers, messages."""
