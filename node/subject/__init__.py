"""What a person whom the node keeps data about may ask for: a copy, and that it goes (GDPR articles 15 and 17)."""
