"""The list of resident children of school age: who of them goes to no school that is known here."""
