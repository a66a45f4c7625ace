"""The yearly report of a municipality's casework: counted, told, and handed out. It names nobody."""
