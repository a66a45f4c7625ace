"""The roll call: gaps that are soon due, listed to all members by pseudonyms that only their evaluators can make."""
