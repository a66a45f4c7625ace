"""Logging in and out: sessions in the store, the development login, and OpenID Connect."""
