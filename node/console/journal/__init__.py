"""The journal's part of a case file's page, its attachments, export and log of views."""
