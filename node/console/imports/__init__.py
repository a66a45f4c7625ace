"""How the imports stand, and how what was left out is mended."""
