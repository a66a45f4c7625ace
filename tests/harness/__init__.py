"""Real servers, processes and stores for tests."""
