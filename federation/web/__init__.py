"""What all pages share: languages, headers, static files."""
